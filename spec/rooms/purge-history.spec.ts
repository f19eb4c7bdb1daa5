import { expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import { verifyRoom } from '../../src/rooms/dag/verify-room.ts';
import { threadsBackwards } from '../../src/storage/stores/thread-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms, type TestUser, asSent } from '../support/test-rooms.ts';

describeOnBothEngines('purging history', (engine) => {
  /** A room with messages 0 to 29 of alice; bob joins before the 10th, and the topic changes with every one. */
  const start = async () => {
    const db = await engine.open();
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, { name: 'Room' });
    const sent: EventId[] = [];
    for (let i = 0; i < 30; i++) {
      if (i === 10) await test.rooms.joinRoom(bob, { roomId });
      await test.setState(alice, roomId, 'm.room.topic', { topic: `topic ${i}` });
      sent.push(await test.say(alice, roomId, `message ${i}`));
    }
    return { db, test, alice, bob, roomId, sent };
  };
  const bodies = (events: readonly ClientEvent[] = []) =>
    events.filter((event) => event.type === 'm.room.message').map((event) => event.content['body']);
  const after = (first: number) => Array.from({ length: 30 - first }, (_, i) => `message ${first + i}`);
  const everything = async (test: TestRooms, user: TestUser, roomId: RoomId) => {
    const events: ClientEvent[] = [];
    for (let from: string | undefined; ;) {
      const page = await test.history(user, roomId, { limit: 7, ...(from === undefined ? {} : { from }) });
      events.unshift(...page.chunk.toReversed());
      if (page.end === undefined) return events;
      from = page.end;
    }
  };

  it('forgets what came before the event, and nothing else', async () => {
    const { db, test, alice, bob, roomId, sent } = await start();
    const told = async () =>
      (await test.state(alice, roomId))
        .map((event) => ({ ...event, unsigned: undefined }))
        .toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1));
    const state = await told();
    const kept = (await everything(test, alice, roomId)).slice(-17);
    const purged = await test.rooms.purgeHistory(roomId, sent[20]!);
    expect(purged.events).toBeGreaterThanOrEqual(40);
    expect(purged.stateChanges).toBeGreaterThanOrEqual(19);
    expect(bodies(await everything(test, alice, roomId))).toEqual(after(20));
    // the first topic that is left tells nothing of the one before it
    expect((await everything(test, alice, roomId)).slice(-17)).toEqual(kept);
    expect(await told()).toEqual(state);
    await expect(test.event(alice, roomId, sent[19]!)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    expect(await test.event(bob, roomId, sent[20]!)).toMatchObject({ content: { body: 'message 20' } });
    const report = await verifyRoom(db, roomId);
    expect(report).toMatchObject({ problems: [], differences: [] });
    // a second one finds nothing to do
    expect(await test.rooms.purgeHistory(roomId, sent[20]!)).toEqual({ events: 0, stateChanges: 0, lines: 0 });
  });

  it('forgets the threads whose root it forgets, and keeps the others', async () => {
    const { db, test, alice, roomId, sent } = await start();
    const reply = (root: EventId) =>
      test.say(alice, roomId, `reply to ${root}`, { 'm.relates_to': { rel_type: 'm.thread', event_id: root } });
    const [forgotten, kept] = [sent[5]!, sent[25]!];
    await reply(forgotten);
    await reply(kept);
    const rows = async () => {
      const { room } = await test.ctx.dags.open(roomId);
      return (await db.all(threadsBackwards, { room, before: Number.MAX_SAFE_INTEGER, limit: 10 })).map(
        ({ root_id: rootId }) => rootId,
      );
    };
    expect(await rows()).toEqual([kept, forgotten]);
    await test.rooms.purgeHistory(roomId, sent[20]!);
    expect(await rows()).toEqual([kept]);
    const { chunk } = asSent<{ chunk: ClientEvent[] }>(
      await test.rooms.threads(alice, roomId, { include: 'all', limit: 5 }),
    );
    expect(chunk.map((event) => event.event_id)).toEqual([kept]);
  });

  it('leaves a room that goes on, also after a restart', async () => {
    const { db, test, alice, bob, roomId, sent } = await start();
    await test.rooms.purgeHistory(roomId, sent[29]!);
    const restarted = test.restarted();
    await restarted.setState(alice, roomId, 'm.room.topic', { topic: 'new' });
    await restarted.say(bob, roomId, 'hello');
    const carol = await restarted.user('carol');
    await restarted.rooms.joinRoom(carol, { roomId });
    const { rooms } = await restarted.syncOnce(carol);
    const room = rooms?.join?.[roomId];
    expect(bodies(room?.timeline.events)).toEqual(['message 29', 'hello']);
    expect(await verifyRoom(db, roomId)).toMatchObject({ problems: [] });
  });

  it('loses nothing that a client has not been told of yet and that stays', async () => {
    const { test, alice, bob, roomId, sent } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    for (let i = 30; i < 40; i++) {
      await test.setState(alice, roomId, 'm.room.topic', { topic: `topic ${i}` });
      sent.push(await test.say(alice, roomId, `message ${i}`));
    }
    await test.syncOnce(alice);
    await test.rooms.purgeHistory(roomId, sent[35]!);
    for (const one of [test, test.restarted()]) {
      const { rooms } = await one.syncOnce(bob, since, { filter: { room: { timeline: { limit: 50 } } } });
      const room = rooms?.join?.[roomId];
      expect(bodies(room?.timeline.events)).toEqual([35, 36, 37, 38, 39].map((i) => `message ${i}`));
      const { events: state } = room!.state;
      expect(state.find((event) => event.type === 'm.room.topic')?.content).toEqual({ topic: 'topic 35' });
      // what counts goes on counting until it is read
      expect(room?.unread_notifications.notification_count).toBe(30);
    }
  });

  it('holds while others read and write', async () => {
    const { db, test, alice, bob, roomId, sent } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    const reading = Array.from({ length: 20 }, async () => {
      await test.syncOnce(bob);
      await test.syncOnce(bob, since);
      await test.history(bob, roomId);
    });
    const writing = Array.from({ length: 20 }, (_, i) => test.say(alice, roomId, `more ${i}`));
    await Promise.all([...reading, ...writing, test.rooms.purgeHistory(roomId, sent[25]!)]);
    expect(bodies(await everything(test, alice, roomId))).toHaveLength(5 + 20);
    expect(await verifyRoom(db, roomId)).toMatchObject({ problems: [] });
  });

  it('refuses what is not in the room', async () => {
    const { test, alice, roomId } = await start();
    const other = await test.say(alice, await test.createRoom(alice), 'elsewhere');
    for (const [room, event] of [
      [roomId, other],
      [roomId, '$unknown' as EventId],
      ['!unknown:test' as RoomId, other],
    ] as const)
      await expect(test.rooms.purgeHistory(room, event)).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
  });
});
