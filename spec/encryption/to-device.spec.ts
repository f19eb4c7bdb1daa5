import { expect, it } from 'vitest';
import { DeviceInboxes } from '../../src/encryption/device-inboxes.ts';
import { sendToDevice } from '../../src/encryption/send-to-device.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import type { Database } from '../../src/storage/database.ts';
import { Names } from '../../src/storage/names.ts';
import { deleteDevices, insertDevice } from '../../src/storage/stores/device-store.ts';
import { insertToDeviceMessage, toDeviceMessages } from '../../src/storage/stores/to-device-store.ts';
import { noEdus } from './support/other-servers.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { localServersOfTests } from '../support/test-accounts.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

const type = 'm.room_key_request';

class World {
  readonly db: WatchedDatabase;
  test: TestRooms;
  readonly #ports = testPorts(1);
  #txn = 0;

  constructor(db: Database) {
    this.db = new WatchedDatabase(db);
    this.test = new TestRooms(this.db, this.#ports);
  }
  get ports() {
    return this.#ports;
  }

  /** A user, or another device of the same one. */
  async device(localpart: string, deviceId: string): Promise<TestUser> {
    const user = await this.test.user(localpart);
    const named = { deviceId, displayName: null, ts: 0, ip: null, userAgent: null };
    await this.db.write((unit) => unit.run(insertDevice, { device: user.deviceNid, user: user.userNid, ...named }))
      .committed;
    return user;
  }
  async send(
    from: TestUser,
    messages: Record<string, Record<string, JsonObject>>,
    txnId = `auto ${++this.#txn}`,
  ): Promise<void> {
    const { clock, random } = this.#ports;
    const { inboxes } = this.test;
    const localServers = localServersOfTests();
    const ctx = { db: this.db, names: new Names(this.db), localServers, inboxes, clock, random, edus: noEdus };
    await sendToDevice(ctx, from, { type, messages, txnId });
  }
  /** Contents of the messages, and the token. */
  async sync(to: TestUser, since?: string): Promise<{ told: unknown[]; next: string }> {
    const answer = await this.test.syncOnce(to, since);
    return { told: answer.to_device?.events.map(({ content }) => content['n']) ?? [], next: answer.next_batch };
  }
  async stored(device: TestUser): Promise<number> {
    const all = { after: 0, upTo: 2 ** 50, limit: 1_000_000 };
    return (await this.db.all(toDeviceMessages, { device: device.deviceNid, ...all })).length;
  }
  restart(): void {
    this.test = this.test.restarted();
  }
}

describeOnBothEngines('messages to devices', (engine) => {
  const start = async () => {
    const world = new World(await engine.open());
    return {
      world,
      alice: await world.device('alice', 'A1'),
      phone: await world.device('bob', 'B1'),
      laptop: await world.device('bob', 'B2'),
    };
  };

  it('go to one device, with their sender and type', async () => {
    const { world, alice, phone, laptop } = await start();
    await world.send(alice, { '@bob:test': { B1: { n: 1, more: { deep: ['\u0000', 1.5] } } } });
    const answer = await world.test.syncOnce(phone);
    expect(answer.to_device).toEqual({
      events: [{ type, sender: '@alice:test', content: { n: 1, more: { deep: ['\u0000', 1.5] } } }],
    });
    expect((await world.test.syncOnce(laptop)).to_device).toBeUndefined();
    expect((await world.test.syncOnce(alice)).to_device).toBeUndefined();
  });

  it('go to all devices by *, but for those with a message of their own', async () => {
    const { world, alice, phone, laptop } = await start();
    await world.send(alice, {
      '@bob:test': { '*': { n: 'all' }, B2: { n: 'own' } },
      '@alice:test': { '*': { n: 'me' } },
    });
    expect((await world.sync(phone)).told).toEqual(['all']);
    expect((await world.sync(laptop)).told).toEqual(['own']);
    expect((await world.sync(alice)).told).toEqual(['me']);
  });

  it('to who is not there are no error', async () => {
    const { world, alice, phone } = await start();
    await world.send(alice, {
      '@nobody:test': { '*': { n: 0 }, B1: { n: 0 } },
      '@bob:elsewhere.test': { B1: { n: 0 } },
      '@bob:test': { NONE: { n: 0 }, B1: { n: 1 } },
      '@alice:test': {},
    });
    expect((await world.sync(phone)).told).toEqual([1]);
  });

  it('are in every answer until the device has a later token, then never again', async () => {
    const { world, alice, phone } = await start();
    const first = await world.sync(phone);
    await world.send(alice, { '@bob:test': { B1: { n: 1 } } });
    expect((await world.sync(phone, first.next)).told).toEqual([1]);
    const second = await world.sync(phone, first.next);
    expect(second.told).toEqual([1]);
    world.restart();
    expect((await world.sync(phone, first.next)).told).toEqual([1]);
    // Nothing was acknowledged by who begins anew.
    expect((await world.sync(phone)).told).toEqual([1]);
    await world.send(alice, { '@bob:test': { B1: { n: 2 } } });
    expect((await world.sync(phone, first.next)).told).toEqual([1, 2]);
    const third = await world.sync(phone, second.next);
    expect(third.told).toEqual([2]);
    expect(await world.stored(phone)).toBe(1);
    // An older token brings back what is there, and not what was acknowledged.
    expect((await world.sync(phone, first.next)).told).toEqual([2]);
    expect((await world.sync(phone, third.next)).told).toEqual([]);
    world.restart();
    expect((await world.sync(phone)).told).toEqual([]);
    expect(await world.stored(phone)).toBe(0);
  });

  it('are not acknowledged by a token from the future', async () => {
    const { world, alice, phone } = await start();
    await world.send(alice, { '@bob:test': { B1: { n: 1 } } });
    expect((await world.sync(phone, 's999999999')).told).toEqual([1]);
    expect((await world.sync(phone)).told).toEqual([1]);
  });

  it('are not acknowledged by tokens of answers that have none of them', async () => {
    const { world, alice, phone } = await start();
    await world.test.createRoom(phone);
    await world.send(alice, { '@bob:test': { B1: { n: 1 } } });
    const initial = await world.test.sync.initialSync({ requester: phone, limit: 5, archived: false });
    expect((await world.sync(phone, String(initial['end']))).told).toEqual([1]);
    const { signal } = new AbortController();
    const page = await world.test.sync.events({ requester: phone, from: 1, roomId: undefined, timeoutMs: 0, signal });
    const later = await world.sync(phone, String(page['end']));
    expect(later.told).toEqual([1]);
    expect((await world.sync(phone, later.next)).told).toEqual([]);
  });

  it('come in pages, in the order of arrival', async () => {
    const { world, alice, phone } = await start();
    const count = 2 * limits.toDeviceMessagesPerPageMax + 1;
    for (let n = 0; n < count; n++) await world.send(alice, { '@bob:test': { B1: { n } } });
    const told: unknown[] = [];
    const sizes: number[] = [];
    let since: string | undefined;
    for (let page = 0; page < 4; page++) {
      // Each page is asked for twice, as when an answer gets lost.
      await world.sync(phone, since);
      const answer = await world.sync(phone, since);
      told.push(...answer.told);
      sizes.push(answer.told.length);
      since = answer.next;
      if (page === 1) world.restart();
    }
    expect(sizes).toEqual([100, 100, 1, 0]);
    expect(told).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(await world.stored(phone)).toBe(0);
  });

  it('are added once by a repeated transaction of a device, also at the same time and after a restart', async () => {
    const { world, alice, phone } = await start();
    const other = await world.device('alice', 'A2');
    const message = { '@bob:test': { B1: { n: 1 } } };
    await Promise.all([world.send(alice, message, 'same'), world.send(alice, message, 'same')]);
    await world.send(alice, message, 'same');
    world.restart();
    await world.send(alice, { '@bob:test': { B1: { n: 2 } } }, 'same');
    expect((await world.sync(phone)).told).toEqual([1]);
    await world.send(other, { '@bob:test': { B1: { n: 3 } } }, 'same');
    expect((await world.sync(phone)).told).toEqual([1, 3]);
  });

  it('are added by the repetition when the first attempt failed', async () => {
    const { world, alice, phone } = await start();
    const message = { '@bob:test': { B1: { n: 1 }, B2: { n: 1 } } };
    await world.send(alice, { '@bob:test': { '*': { n: 0 } } });
    world.db.failNextWrite();
    await expect(world.send(alice, message, 'same')).rejects.toThrow('the write did not happen');
    expect((await world.sync(phone)).told).toEqual([0]);
    await world.send(alice, message, 'same');
    expect((await world.sync(phone)).told).toEqual([0, 1]);
  });

  it('wake who waits with that device, and nobody else', async () => {
    const { world, alice, phone, laptop } = await start();
    const [{ next: ofPhone }, { next: ofLaptop }] = [await world.sync(phone), await world.sync(laptop)];
    const waiting = world.test.syncWaiting(phone, ofPhone);
    let isLaptopAnswered = false;
    const others = world.test.syncWaiting(laptop, ofLaptop).finally(() => (isLaptopAnswered = true));
    await world.ports.settle();
    world.db.reads.length = 0;
    await world.send(alice, { '@bob:test': { B1: { n: 1 } } });
    expect((await waiting).to_device?.events.map(({ content }) => content)).toEqual([{ n: 1 }]);
    await world.ports.settle();
    expect(isLaptopAnswered).toBe(false);
    await world.send(alice, { '@bob:test': { B2: { n: 2 } } });
    expect((await others).to_device?.events.map(({ content }) => content)).toEqual([{ n: 2 }]);
  });

  it('cost no read where there are none', async () => {
    const { world, alice, phone } = await start();
    const { next } = await world.sync(phone);
    world.db.reads.length = 0;
    await world.sync(phone, next);
    expect(world.db.reads).toEqual([]);
    await world.send(alice, { '@bob:test': { B1: { n: 1 } } });
    const { next: later } = await world.sync(phone, next);
    await world.sync(phone, later);
    world.db.reads.length = 0;
    await world.sync(phone, later);
    await world.sync(phone, next);
    await world.sync(phone);
    expect(world.db.reads.filter((name) => name.startsWith('toDevice'))).toEqual([]);
  });

  it('that come while it is being looked what there is are not overlooked', async () => {
    const { world, alice, phone } = await start();
    await world.send(alice, { '@bob:test': { B1: { n: 1 } } });
    world.restart();
    const held = world.db.holdNext('toDevice.inboxes');
    const first = world.sync(phone);
    await held.reached;
    await world.send(alice, { '@bob:test': { B2: { n: 2 } } });
    const second = world.send(alice, { '@bob:test': { B1: { n: 3 } } });
    await second;
    held.release();
    expect((await first).told).toEqual([1, 3]);
  });

  it('of a device that is removed at the same moment go with it', async () => {
    const { world, alice, phone } = await start();
    const held = world.db.holdNext('device.ofUsers');
    const sent = world.send(alice, { '@bob:test': { '*': { n: 1 } } });
    await held.reached;
    await world.db.write((unit) => unit.run(deleteDevices, { devices: [phone.deviceNid] })).committed;
    held.release();
    await sent;
    expect(await world.stored(phone)).toBe(0);
  });

  it('are bounded: the oldest give way', async () => {
    const { world, alice, phone } = await start();
    const max = limits.toDeviceMessagesKeptMax;
    await world.db.write((unit) => {
      for (let n = 0; n < max; n++)
        unit.run(insertToDeviceMessage, {
          devices: [phone.deviceNid],
          pos: unit.nextPos(),
          json: `{"type":"x","sender":"@alice:test","content":{"n":${n}}}`,
        });
    }).committed;
    world.restart();
    await world.send(alice, { '@bob:test': { B1: { n: 'last' } } });
    expect(await world.stored(phone)).toBe(0.9 * max);
    const { told } = await world.sync(phone);
    expect(told[0]).toBe(0.1 * max + 1);
    await world.send(alice, { '@bob:test': { B1: { n: 'more' } } });
    expect(await world.stored(phone)).toBe(0.9 * max + 1);
  });

  it('that are too large or too many, or for what is no user, are refused whole', async () => {
    const { world, alice, phone } = await start();
    const large = 'x'.repeat(limits.toDeviceBytesMax);
    await expect(world.send(alice, { '@bob:test': { B1: { n: 1 }, B2: { large } } })).rejects.toMatchObject({
      status: 413,
      errcode: 'M_TOO_LARGE',
    });
    const many = Object.fromEntries(
      Array.from({ length: limits.toDeviceMessagesPerRequestMax + 1 }, (_, n) => [`D${n}`, { n }]),
    );
    const refused = { status: 400, errcode: 'M_INVALID_PARAM' };
    await expect(world.send(alice, { '@bob:test': { B1: { n: 1 }, ...many } })).rejects.toMatchObject(refused);
    await expect(world.send(alice, { '@bob:test': { B1: { n: 1 } }, bob: {} })).rejects.toMatchObject(refused);
    expect((await world.sync(phone)).told).toEqual([]);
  });

  it('are read, kept and acknowledged position by position by who has tokens of their own', async () => {
    const { world, alice, phone } = await start();
    const inboxes: DeviceInboxes = world.test.inboxes;
    for (let n = 1; n <= 3; n++) await world.send(alice, { '@bob:test': { B1: { n } } });
    const upTo = world.db.committedPos();
    const page = await inboxes.read(phone.deviceNid, { after: 0, upTo, limit: 2 });
    expect(page).toMatchObject({ hasMore: true });
    expect(page.events.map((text) => (JSON.parse(text) as { content: JsonObject }).content)).toEqual([
      { n: 1 },
      { n: 2 },
    ]);
    const rest = await inboxes.read(phone.deviceNid, { after: page.pos, upTo, limit: 2 });
    expect(rest).toMatchObject({ hasMore: false, pos: upTo, events: [expect.stringContaining('3')] });
    await inboxes.acknowledge(phone.deviceNid, page.pos);
    expect(await inboxes.read(phone.deviceNid, { after: 0, upTo, limit: 9 })).toEqual(rest);
  });
});
