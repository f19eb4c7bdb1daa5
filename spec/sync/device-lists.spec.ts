import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RoomId, UserId } from '../../src/matrix/ids/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { setDeviceChange } from '../../src/storage/stores/device-change-store.ts';
import { type DeviceLists, DeviceListNews } from '../../src/sync/device-list-news.ts';
import { SyncUsers } from '../../src/sync/sync-users.ts';
import { type SendingServer, useSending } from '../federation/send/support/sending-server.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

async function changeKeys(db: Database, { userNid: user }: Pick<TestUser, 'userNid'>): Promise<void> {
  await db.write((unit) => {
    const pos = unit.nextPos();
    unit.run(setDeviceChange, { user, pos });
    unit.wake({ kind: 'device-list', userNid: user, pos });
  }).committed;
}

/** Of a user of another server, as its EDUs bring it. */
async function changeRemoteKeys(db: Database, user: number): Promise<void> {
  await db.write((unit) => {
    const pos = unit.nextPos();
    unit.run(setDeviceChange, { user, pos });
    unit.wake({ kind: 'remote-device-list', userNid: user, pos });
  }).committed;
}

/** Somebody who does something in the property's rooms. */
interface Person {
  readonly userId: UserId;
  /** undefined: of another server. */
  readonly reader: TestUser | undefined;
  changeKeys(): Promise<void>;
  join(roomId: RoomId): Promise<unknown>;
  leave(roomId: RoomId): Promise<unknown>;
}

async function localPerson(db: Database, test: TestRooms, name: string): Promise<Person> {
  const user = await test.user(name);
  return {
    userId: user.userId,
    reader: user,
    changeKeys: () => changeKeys(db, user),
    join: (roomId) => test.rooms.joinRoom(user, { roomId }),
    leave: (roomId) => test.rooms.leaveRoom(user, { roomId }),
  };
}

function personElsewhere(server: SendingServer, name: string): Person {
  const at = { server: 'one', localpart: name };
  const userId = `@${name}:one` as UserId;
  return {
    userId,
    reader: undefined,
    changeKeys: async () => changeRemoteKeys(server.db, await server.test.ctx.names.userNid(userId)),
    join: (roomId) => server.remote(roomId, at),
    leave: (roomId) => server.remote(roomId, { ...at, membership: 'leave' }),
  };
}

/** What happened: at each position, one thing. */
interface Happened {
  readonly pos: number;
  readonly what: 'keys' | 'join' | 'leave';
  readonly user: number;
  readonly room: number;
}

/** Who is together with whom, and what must be told of it, by the whole history. */
class History {
  readonly #all: Happened[] = [];
  readonly #elsewhere: ReadonlySet<number>;

  /** `elsewhere`: who is of another server, and may have keys of which nobody here knows. */
  constructor(elsewhere: readonly number[]) {
    this.#elsewhere = new Set(elsewhere);
  }

  add(happened: Happened): void {
    this.#all.push(happened);
  }
  isIn(user: number, room: number, pos: number): boolean {
    const own = this.#all.filter((one) => one.what !== 'keys' && one.user === user && one.room === room);
    return own.findLast((one) => one.pos <= pos)?.what === 'join';
  }
  share(one: number, other: number, pos: number): boolean {
    return rooms.some((room) => this.isIn(one, room, pos) && this.isIn(other, room, pos));
  }
  hasKeys(user: number): boolean {
    return this.#elsewhere.has(user) || this.#all.some((one) => one.what === 'keys' && one.user === user);
  }
  mustBeChanged(reader: number, since: number): number[] {
    const changed = (user: number): boolean =>
      this.#all.some((one) => one.what === 'keys' && one.user === user && one.pos > since);
    return people.filter(
      (user) =>
        (user === reader && changed(user)) ||
        (user !== reader &&
          this.share(reader, user, Infinity) &&
          this.hasKeys(user) &&
          (changed(user) || !this.share(reader, user, since))),
    );
  }
  /** Those whom the reader was with when one of the two left, and who did not leave after that. */
  mustHaveLeft(reader: number, since: number): number[] {
    return people.filter((user) => {
      if (user === reader || !this.hasKeys(user) || this.share(reader, user, Infinity)) return false;
      return this.#all.some(({ what, pos, user: who, room }) => {
        if (what !== 'leave' || pos <= since) return false;
        if (who === user) return this.isIn(reader, room, pos);
        const leftLater = this.#all.some(
          (one) => one.what !== 'keys' && one.user === user && one.room === room && one.pos > pos,
        );
        return who === reader && this.isIn(user, room, pos) && !leftLater;
      });
    });
  }
}
const people = [0, 1, 2, 3];
const rooms = [0, 1, 2];

const steps = fc.array(
  fc.record({ what: fc.constantFrom('keys', 'move', 'move', 'sync'), user: fc.nat(3), room: fc.nat(2) }),
  { minLength: 10, maxLength: 40 },
);

describeOnBothEngines('device lists', (engine) => {
  const sending = useSending(engine);
  const isComplete = 'are complete by what is remembered and by what is stored, and name nobody else as gone';
  it(
    isComplete,
    async () => {
      const db = await engine.open();
      const test = new TestRooms(db, testPorts(1));
      await assertComplete(db, test, (_, name) => localPerson(db, test, name), []);
    },
    120_000,
  );

  it(`${isComplete}, also of another server`, async () => {
    const server = await sending.start();
    const { db, test } = server;
    const elsewhere = [2, 3];
    const personOf = async (index: number, name: string): Promise<Person> =>
      elsewhere.includes(index) ? personElsewhere(server, name) : localPerson(db, test, name);
    await assertComplete(db, test, personOf, elsewhere);
    await server.untilQuiet();
  }, 120_000);

  async function assertComplete(
    db: Database,
    test: TestRooms,
    personOf: (index: number, name: string) => Promise<Person>,
    elsewhere: readonly number[],
  ): Promise<void> {
    let serial = 0;
    const property = fc.asyncProperty(steps, async (taken) => {
      const owner = await test.user(`owner${++serial}`);
      const users = await Promise.all(people.map((index) => personOf(index, `user${index}of${serial}`)));
      const roomIds: RoomId[] = [];
      for (const _ of rooms) roomIds.push(await test.createRoom(owner));
      const history = new History(elsewhere);
      const tokens: { readonly reader: number; readonly since: number }[] = [];
      for (const { what, user: index, room } of taken) {
        const [user, roomId] = [users[index]!, roomIds[room]!];
        if (what === 'sync') {
          if (user.reader === undefined) continue;
          const { next_batch: token } = await test.syncOnce(user.reader);
          tokens.push({ reader: index, since: Number(token.slice(1).split('_')[0]) });
          continue;
        }
        const wasIn = history.isIn(index, room, Infinity);
        if (what === 'keys') await user.changeKeys();
        else if (wasIn) await user.leave(roomId);
        else await user.join(roomId);
        const did = what === 'keys' ? 'keys' : wasIn ? 'leave' : 'join';
        history.add({ pos: db.committedPos(), what: did, user: index, room });
      }
      const soon = queueMicrotask;
      const fresh = new DeviceListNews(new SyncUsers(db, { soon }), test.ctx, { soon });
      const sliced = new DeviceListNews(new SyncUsers(db, { soon }), test.ctx, { soon, changesPerRead: 2 });
      const freshUsers = new SyncUsers(db, { soon: () => {} });
      for (const { reader, since } of tokens) {
        const user = users[reader]!.reader!;
        const until = db.committedPos();
        const check = ({ changed, left }: DeviceLists): void => {
          const numbers = (ids: readonly string[]) => ids.map((id) => users.findIndex(({ userId }) => userId === id));
          expect(numbers(changed)).toEqual(expect.arrayContaining(history.mustBeChanged(reader, since)));
          expect(numbers(left)).toEqual(expect.arrayContaining(history.mustHaveLeft(reader, since)));
          expect(numbers(left).filter((other) => history.share(reader, other, Infinity))).toEqual([]);
          expect(numbers(left).filter((other) => !history.hasKeys(other))).toEqual([]);
        };
        check(await test.sync.deviceListChanges(user, since));
        for (const news of [fresh, sliced])
          check(await freshUsers.hold(user.userNid, (held) => news.newsOf(held, { since, until })));
      }
      fresh.close();
      sliced.close();
    });
    await fc.assert(property, { numRuns: 25, endOnFailure: true });
  }

  it('wait for the rooms of somebody whom nobody has asked for', async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(alice);
    const held = db.holdNext('membership.userRooms');
    await changeKeys(db, bob);
    await held.reached;
    await test.say(alice, roomId, 'meanwhile');
    const answer = test.syncOnce(alice, since);
    held.release();
    expect((await answer).device_lists).toEqual({ changed: [bob.userId], left: [] });
  });

  it('are asked of the database when there is too much to remember', async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(alice);
    for (let i = 0; i < 250; i++) await changeKeys(db, bob);
    db.reads.length = 0;
    expect((await test.syncOnce(alice, since)).device_lists).toEqual({ changed: [bob.userId], left: [] });
    expect(db.reads).toContain('deviceChange.seenBy');
    expect(db.reads.filter((name) => name === 'deviceChange.seenBy')).toHaveLength(1);
  });
});
