import { afterEach, expect, it } from 'vitest';
import { RemoteLists } from '../../../src/encryption/remote-lists/remote-lists.ts';
import type { ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { staleLists } from '../../../src/storage/stores/remote-device-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import type { TestUser } from '../../support/test-rooms.ts';
import { type SendingServer, useSending } from '../../federation/send/support/sending-server.ts';
import { nobodyTold } from '../support/other-servers.ts';

/** https://spec.matrix.org/v1.19/server-server-api/#device-management */
describeOnBothEngines('device lists of other servers', (engine) => {
  const sending = useSending(engine);
  const running: OtherServers[] = [];
  afterEach(async () => {
    for (const others of running.splice(0)) await others.close();
  });
  const start = async (servers: readonly string[] = ['one']) => {
    const server = await sending.start();
    const alice = await server.test.user('alice');
    const roomId = await server.roomWith(alice, servers);
    const others = new OtherServers(server);
    running.push(others);
    await others.lists.start();
    const { next_batch: since } = await server.test.syncOnce(alice);
    return { server, alice, roomId, others, since };
  };
  const eve = '@eve:one' as UserId;

  it('are asked for when somebody wants them, and right from then on', async () => {
    const { others, server, alice, since } = await start();
    others.devices.set(eve, [5, ['A']]);
    expect(await others.known(eve)).toBeUndefined();
    await others.want(eve);
    expect(await others.known(eve)).toEqual({ devices: ['A'], isRight: true });
    await others.update({ stream_id: 7, prev_id: [5], device_id: 'B', keys: keysOf(eve, 'B') });
    expect(await others.known(eve)).toEqual({ devices: ['A', 'B'], isRight: true });
    await others.update({ stream_id: 8, prev_id: [7], device_id: 'A', deleted: true });
    expect(await others.known(eve)).toEqual({ devices: ['B'], isRight: true });
    expect(others.asked).toEqual([eve]);
    expect(await changedFor(server, alice, since)).toEqual([eve]);
  });

  it('are asked for again where something was missed, until they are there, also after a restart', async () => {
    const { others, server, alice } = await start();
    others.devices.set(eve, [5, ['A']]);
    await others.want(eve);
    const { next_batch: since } = await server.test.syncOnce(alice);
    others.devices.delete(eve);
    await others.update({ stream_id: 9, prev_id: [8], device_id: 'C', keys: keysOf(eve, 'C') });
    await others.untilAsked(2);
    expect(await others.known(eve)).toEqual({ devices: ['A'], isRight: false });
    // That nothing better can be had is told once.
    await server.ports.until(() => others.lists.isQuiet());
    expect(await changedFor(server, alice, since)).toEqual([eve]);
    const { next_batch: later } = await server.test.syncOnce(alice, since);
    await server.ports.advance(limits.deviceListRetryMs);
    await others.untilAsked(3);
    await server.ports.until(() => others.lists.isQuiet());
    await others.restart();
    await others.untilAsked(4);
    await server.ports.until(() => others.lists.isQuiet());
    expect(await changedFor(server, alice, later)).toEqual([eve]);
    const { next_batch: last } = await server.test.syncOnce(alice, later);
    others.devices.set(eve, [9, ['A', 'B', 'C']]);
    await server.ports.advance(limits.deviceListRetryMs * 2);
    await others.untilRight(eve);
    expect(await others.known(eve)).toEqual({ devices: ['A', 'B', 'C'], isRight: true });
    expect(await changedFor(server, alice, last)).toEqual([eve]);
    expect(await server.db.all(staleLists, {})).toEqual([]);
  });

  it('that change while they are asked for are asked for once more', async () => {
    const { others } = await start();
    others.devices.set(eve, [5, ['A']]);
    others.hold();
    others.lists.wantSoon([await others.nidOf(eve)]);
    await others.untilAsked(1);
    await others.update({ stream_id: 9, prev_id: [5], device_id: 'B', keys: keysOf(eve, 'B') });
    others.release();
    others.devices.set(eve, [9, ['A', 'B']]);
    await others.untilRight(eve);
    expect(await others.known(eve)).toEqual({ devices: ['A', 'B'], isRight: true });
    expect(others.asked).toEqual([eve, eve]);
  });

  it('are not relied on after a long outage', async () => {
    const { others, server } = await start();
    others.devices.set(eve, [5, ['A']]);
    await others.want(eve);
    others.devices.set(eve, [6, ['B']]);
    others.lists.serverReturned('one' as ServerName, limits.deviceListDoubtMs - 1);
    await server.ports.until(() => others.lists.isQuiet());
    expect(await others.known(eve)).toEqual({ devices: ['A'], isRight: true });
    others.lists.serverReturned('one' as ServerName, limits.deviceListDoubtMs);
    await others.untilAsked(2);
    await others.untilRight(eve);
    expect(await others.known(eve)).toEqual({ devices: ['B'], isRight: true });
  });

  it('are forgotten with the last shared room', async () => {
    const { others, server, roomId, alice } = await start(['one', 'two']);
    const ofTwo = '@eve:two' as UserId;
    others.devices.set(eve, [5, ['A']]).set(ofTwo, [5, ['A']]);
    await others.want(eve, ofTwo);
    await server.remote(roomId, { server: 'one', membership: 'leave' });
    expect(await others.known(eve)).toBeUndefined();
    expect(await others.known(ofTwo)).toEqual({ devices: ['A'], isRight: true });
    // What they tell after that is nobody's business.
    await others.update({ stream_id: 6, prev_id: [5], device_id: 'B', keys: keysOf(eve, 'B') });
    expect(others.asked).toHaveLength(2);
    await server.test.rooms.leaveRoom(alice, { roomId });
    expect(await others.known(ofTwo)).toBeUndefined();
    expect(await others.rows()).toBe(0);
  });

  it('of who went while nobody followed are not answered with', async () => {
    const { others, server, roomId } = await start();
    others.devices.set(eve, [5, ['A']]);
    await others.want(eve);
    await others.lists.close();
    await server.remote(roomId, { server: 'one', membership: 'leave' });
    await others.restart();
    expect(await others.known(eve)).toBeUndefined();
    await server.ports.until(() => others.lists.isQuiet());
    expect(await others.rows()).toBe(0);
  });

  it('of few who come to an encrypted room are asked for ahead', async () => {
    const { others, server, alice } = await start();
    const content = { algorithm: 'm.megolm.v1.aes-sha2' };
    const encrypted = await server.test.createRoom(alice, {
      preset: 'public_chat',
      initialState: [{ type: 'm.room.encryption', stateKey: '', content }],
    });
    others.devices.set(eve, [5, ['A']]);
    await server.remote(encrypted, { server: 'one' });
    await others.untilAsked(1);
    await others.untilRight(eve);
    expect(others.asked).toEqual([eve]);
  });

  it('of many servers are asked for at once, one of each', async () => {
    const count = limits.deviceListResyncsAtOnceMax + 5;
    const names = Array.from({ length: count }, (_, n) => `s${n}`);
    const { others, server, roomId } = await start(names);
    await server.remote(roomId, { server: 's0', localpart: 'mallory' });
    others.hold();
    const users = [...names.map((name) => `@eve:${name}` as UserId), '@mallory:s0' as UserId];
    for (const user of users) others.devices.set(user, [1, []]);
    others.lists.wantSoon(await Promise.all(users.map((user) => others.nidOf(user))));
    await others.untilAsked(limits.deviceListResyncsAtOnceMax);
    await server.ports.settle();
    expect(others.asked).toHaveLength(limits.deviceListResyncsAtOnceMax);
    expect(others.asked).not.toContain('@mallory:s0');
    others.release();
    await others.untilAsked(users.length);
    for (const user of users) await others.untilRight(user);
  });

  it('told by others than their server, malformed or too large change nothing', async () => {
    const { others } = await start(['one', 'two']);
    others.devices.set(eve, [5, ['A']]);
    await others.want(eve);
    const good = { stream_id: 7, prev_id: [5], device_id: 'B', keys: keysOf(eve, 'B') };
    await others.update(good, 'two');
    await others.update({ ...good, user_id: 5 });
    await others.update({ ...good, device_id: 5 });
    await others.update({ ...good, device_id: 'x'.repeat(256) });
    await others.update({ ...good, device_id: 'x\0' });
    await others.update({ ...good, user_id: '@stranger:one' });
    await others.lists.receiveSigningKeys('two' as ServerName, [{ user_id: eve, master_key: {} }]);
    expect(await others.known(eve)).toEqual({ devices: ['A'], isRight: true });
    expect(others.asked).toEqual([eve]);
    // Keys of another device are none.
    await others.update({ ...good, keys: keysOf(eve, 'C') });
    expect(await others.known(eve)).toEqual({ devices: ['A'], isRight: true });
    // What cannot be placed makes the list be asked for, and what is no list is not kept.
    for (const wrong of [{ stream_id: 'x' }, { prev_id: 5 }, { prev_id: ['x'] }, { stream_id: -1 }]) {
      const before = others.asked.length;
      others.devices.set(eve, [8, ['A']]);
      await others.update({ ...good, ...wrong });
      await others.untilAsked(before + 1);
      await others.untilRight(eve);
    }
    const large = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 'x'.repeat(600)]));
    const many = Array.from({ length: 80 }, (_, n) => ({ device_id: `D${n}`, keys: keysOf(eve, `D${n}`, large) }));
    for (const answer of [
      { user_id: '@mallory:one', stream_id: 9, devices: [] },
      { user_id: eve, stream_id: 'x', devices: [] },
      { user_id: eve, stream_id: 9, devices: {} },
      { user_id: eve, stream_id: 9, devices: Array.from({ length: limits.remoteDevicesPerUserMax + 1 }, () => ({})) },
      { user_id: eve, stream_id: 9, devices: many },
    ]) {
      const before = others.asked.length;
      others.answers.set(eve, answer);
      await others.update({ ...good, prev_id: [3], stream_id: 100 + before });
      await others.untilAsked(before + 1);
      expect(await others.known(eve)).toEqual({ devices: ['A'], isRight: false });
      others.answers.delete(eve);
      others.lists.serverReturned('one' as ServerName, 0);
      await others.untilRight(eve);
    }
  });
});

async function changedFor(
  server: SendingServer,
  user: TestUser,
  since: string,
): Promise<readonly string[] | undefined> {
  return (await server.test.syncOnce(user, since)).device_lists?.changed;
}

const keysOf = (userId: string, deviceId: string, more: Readonly<Record<string, string>> = {}): JsonObject => ({
  user_id: userId,
  device_id: deviceId,
  algorithms: [],
  keys: { [`ed25519:${deviceId}`]: 'key', ...more },
  signatures: {},
});

/** What is kept here, and the servers of those whom it is about. */
class OtherServers {
  lists: RemoteLists;
  readonly #server: SendingServer;
  /** The stream and the ids of devices; who is missing has a server that does not answer. */
  readonly devices = new Map<UserId, readonly [streamId: number, deviceIds: readonly string[]]>();
  /** Instead of them. */
  readonly answers = new Map<UserId, JsonObject>();
  readonly asked: UserId[] = [];
  #held: PromiseWithResolvers<void> | undefined;

  constructor(server: SendingServer) {
    this.#server = server;
    this.lists = this.#make();
  }

  #make(): RemoteLists {
    const { db, test, ports, failures } = this.#server;
    return new RemoteLists({
      db,
      names: test.ctx.names,
      localServers: test.ctx.localServers,
      remoteKeys: {
        query: () => Promise.resolve(undefined),
        claim: () => Promise.resolve(undefined),
        devices: (userId) => this.#answer(userId),
      },
      backingOff: { retryInMs: () => 0 },
      outgoingDevices: nobodyTold,
      clock: ports.clock,
      timers: ports.timers,
      random: ports.random,
      isEncrypted: (room) => test.rooms.isEncrypted(room),
      onFailed: (error) => failures.push(error),
    });
  }

  async #answer(userId: UserId): Promise<JsonObject | undefined> {
    this.asked.push(userId);
    const known = this.devices.get(userId);
    await this.#held?.promise;
    if (this.answers.has(userId)) return this.answers.get(userId);
    if (known === undefined) return undefined;
    const [streamId, deviceIds] = known;
    const devices = deviceIds.map((deviceId) => ({ device_id: deviceId, keys: keysOf(userId, deviceId) }));
    return { user_id: userId, stream_id: streamId, devices };
  }

  hold(): void {
    this.#held = Promise.withResolvers();
  }
  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async restart(): Promise<void> {
    await this.lists.close();
    this.lists = this.#make();
    await this.lists.start();
  }
  async close(): Promise<void> {
    this.release();
    await this.lists.close();
  }

  nidOf(userId: UserId): Promise<number> {
    return this.#server.test.ctx.names.userNid(userId);
  }
  async want(...userIds: readonly UserId[]): Promise<void> {
    this.lists.wantSoon(await Promise.all(userIds.map((userId) => this.nidOf(userId))));
    for (const userId of userIds) await this.untilRight(userId);
  }
  update(content: JsonObject, origin = 'one'): Promise<void> {
    return this.lists.receiveDeviceLists(origin as ServerName, [{ user_id: '@eve:one', ...content }]);
  }

  async known(userId: UserId): Promise<{ devices: readonly string[]; isRight: boolean } | undefined> {
    await this.#server.db.drained();
    const nid = await this.nidOf(userId);
    const list = (await this.lists.known([nid])).get(nid);
    return list && { devices: [...list.keys.devices.keys()], isRight: list.isRight };
  }
  untilAsked(count: number): Promise<void> {
    return this.#server.ports.until(() => this.asked.length >= count);
  }
  async untilRight(userId: UserId): Promise<void> {
    for (let round = 0; (await this.known(userId))?.isRight !== true; round++) {
      if (round > 10_000) throw new Error(`the list of ${userId} did not become right`);
      await this.#server.ports.settle();
    }
  }
  /** Of everything that is kept. */
  async rows(): Promise<number> {
    const { db } = this.#server;
    const lists = await db.dynamic((q) => q.selectFrom('remote_device_list').select('user_nid'));
    const devices = await db.dynamic((q) => q.selectFrom('remote_device').select('user_nid'));
    return lists.length + devices.length;
  }
}
