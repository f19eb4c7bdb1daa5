import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import { parseStreamToken } from '../../src/rooms/pagination-token.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { type TestPorts, testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms, type TestUser, asSent, timersOfRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

interface Chunk {
  readonly start: string;
  readonly end: string;
  readonly chunk: readonly ClientEvent[];
}

describeOnBothEngines('the stream of events', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const ports: TestPorts = testPorts(1);
    const test = new TestRooms(db, ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const events = async (
      user: TestUser,
      from: string | undefined,
      more: { readonly roomId?: RoomId; readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
    ): Promise<Chunk> =>
      asSent<Chunk>(
        await test.sync.events({
          requester: user,
          from: from === undefined ? undefined : Number(from.slice(1)),
          roomId: more.roomId,
          timeoutMs: more.timeoutMs ?? 0,
          signal: more.signal ?? new AbortController().signal,
        }),
      );
    const now = async (user: TestUser) => (await test.syncOnce(user)).next_batch;
    return { db, ports, test, alice, bob, events, now };
  };
  const told = ({ chunk }: Chunk) =>
    chunk.map((event) => event.content['body'] ?? event.content['membership'] ?? event.type);
  const worldReadable = {
    initialState: [
      { type: 'm.room.history_visibility', stateKey: '', content: { history_visibility: 'world_readable' } },
    ],
  };

  it('gives the events of all rooms in their order, between tokens that /sync gives and takes', async () => {
    const { test, alice, bob, events, now } = await start();
    const [one, two] = [await test.createRoom(alice), await test.createRoom(alice)];
    for (const roomId of [one, two]) await test.rooms.joinRoom(bob, { roomId });
    const from = await now(bob);
    await test.say(alice, one, 'one');
    const sent = await test.say(bob, two, 'two', {}, 'txn');
    await test.say(alice, one, 'three');
    const chunk = await events(bob, from);
    expect(told(chunk)).toEqual(['one', 'two', 'three']);
    expect(chunk.chunk.map((event) => event.room_id)).toEqual([one, two, one]);
    expect(chunk.chunk[1]).toMatchObject({ event_id: sent, unsigned: { transaction_id: 'txn', membership: 'join' } });
    expect(parseStreamToken(chunk.start)).toBe(parseStreamToken(from));
    expect((await test.syncOnce(bob, chunk.end)).rooms).toBeUndefined();
    expect(told(await events(bob, chunk.end))).toEqual([]);
    expect(await events(bob, undefined)).toEqual({ start: chunk.end, end: chunk.end, chunk: [] });
    expect(told(await events(bob, from))).toEqual(['one', 'two', 'three']);
    await expect(events(bob, 's99999999')).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_PARAM' });
  });

  it('tells of invites, departures and what came before them, and nothing of what came after', async () => {
    const { test, alice, bob, events, now } = await start();
    const roomId = await test.createRoom(alice, {
      preset: 'private_chat',
      initialState: [{ type: 'm.room.history_visibility', stateKey: '', content: { history_visibility: 'joined' } }],
    });
    let from = await now(bob);
    const next = async () => {
      const chunk = await events(bob, from);
      from = chunk.end;
      return told(chunk);
    };
    await test.say(alice, roomId, 'hidden');
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    await test.say(alice, roomId, 'hidden too');
    expect(await next()).toEqual(['invite']);
    await test.rooms.joinRoom(bob, { roomId });
    await test.say(alice, roomId, 'hello');
    expect(await next()).toEqual(['join', 'hello']);
    await test.say(alice, roomId, 'last words');
    await test.rooms.kickUser(alice, { roomId, target: bob.userId });
    await test.say(alice, roomId, 'hidden again');
    expect(await next()).toEqual(['last words', 'leave']);
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    expect(await next()).toEqual(['ban']);
    await test.say(alice, roomId, 'hidden for ever');
    expect(await next()).toEqual([]);
  });

  it('is given in parts, none of which is lost', async () => {
    const { test, alice, bob, events, now } = await start();
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const from = await now(bob);
    const bodies = Array.from({ length: limits.messagesMax + 20 }, (_, i) => `message ${i}`);
    for (let i = 0; i < bodies.length; i += 50)
      await Promise.all(bodies.slice(i, i + 50).map((body) => test.say(alice, roomId, body)));
    const first = await events(bob, from);
    expect(first.chunk).toHaveLength(limits.messagesMax);
    const rest = await events(bob, first.end);
    const all = [...told(first), ...told(rest)];
    expect(all).toHaveLength(bodies.length);
    expect(new Set(all)).toEqual(new Set(bodies));
  });

  it('waits without a read, and ends with an event, its time or its client', async () => {
    const { db, ports, test, alice, bob, events, now } = await start();
    const roomId = await test.createRoom(alice, worldReadable);
    await test.rooms.joinRoom(bob, { roomId });
    const elsewhere = await test.createRoom(alice);
    const stranger = await test.user('stranger');
    const from = await now(bob);
    const gone = new AbortController();
    const waiting = [events(bob, from, { timeoutMs: 30_000 }), events(stranger, from, { roomId, timeoutMs: 30_000 })];
    const unlucky = events(stranger, from, { roomId, timeoutMs: 60_000, signal: gone.signal });
    await ports.until(() => db.reads.filter((name) => name === 'timeline.forwards').length >= 2);
    await test.say(alice, elsewhere, 'nobody waits for this');
    const before = db.reads.length;
    await test.say(alice, elsewhere, 'nor for this');
    expect(db.reads.slice(before)).toEqual([]);
    gone.abort();
    expect(told(await unlucky)).toEqual([]);
    await test.say(alice, roomId, 'wake up');
    for (const answer of await Promise.all(waiting)) expect(told(answer)).toEqual(['wake up']);
    const inVain = events(bob, await now(bob), { timeoutMs: 30_000 });
    await ports.until(() => ports.timerCount > timersOfRooms);
    await ports.advance(30_000);
    expect(told(await inVain)).toEqual([]);
  });

  it('lets strangers peek into what everybody may read, for as long as they may', async () => {
    const { test, alice, bob, events, now } = await start();
    const roomId = await test.createRoom(alice, worldReadable);
    const closed = await test.createRoom(alice);
    const from = await now(bob);
    await test.say(alice, roomId, 'one');
    await test.say(alice, closed, 'not this');
    const first = await events(bob, from, { roomId });
    expect(told(first)).toEqual(['one']);
    expect(told(await events(alice, from, { roomId }))).toEqual(['one']);
    expect(told(await events(bob, from))).toEqual([]);
    const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };
    await expect(events(bob, from, { roomId: closed })).rejects.toMatchObject(forbidden);
    await expect(events(bob, from, { roomId: '!nowhere:test' as RoomId })).rejects.toMatchObject(forbidden);
    const waiting = events(bob, first.end, { roomId, timeoutMs: 30_000 });
    const shared: JsonObject = { history_visibility: 'shared' };
    await Promise.all([
      expect(waiting).rejects.toMatchObject(forbidden),
      test.setState(alice, roomId, 'm.room.history_visibility', shared),
    ]);
    await expect(events(bob, first.end, { roomId })).rejects.toMatchObject(forbidden);
  });
});
