import { expect, it } from 'vitest';
import type { EventId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('unread counts of threads', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const ports = testPorts(1);
    const test = new TestRooms(db, ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    const relating = (relType: string, eventId: EventId, more: JsonObject = {}): JsonObject => ({
      'm.relates_to': { rel_type: relType, event_id: eventId },
      ...more,
    });
    const named = { 'm.mentions': { user_ids: [bob.userId] } };
    let said = 0;
    const say = (content: JsonObject = {}) => test.say(alice, roomId, `message ${++said}`, content);
    const read = (eventId: EventId, threadId?: string, user: TestUser = bob) =>
      test.rooms.setReceipt(user, roomId, 'm.read', eventId, threadId);
    /** As [notifications, highlights]: of the room, of its main timeline, and of threads. */
    const counts = async (one = test, from: string | undefined = since) => {
      const pair = (of: { notification_count: number; highlight_count: number }) => [
        of.notification_count,
        of.highlight_count,
      ];
      const ask = async (byThread: boolean) => {
        const filter = { room: { timeline: { unread_thread_notifications: byThread } } };
        const room = (await one.syncOnce(bob, from, { filter })).rooms?.join?.[roomId];
        if (room === undefined) throw new Error('the room is told');
        return room;
      };
      const [all, parts] = [await ask(false), await ask(true)];
      expect(all).not.toHaveProperty('unread_thread_notifications');
      const threads = Object.entries(parts.unread_thread_notifications ?? {});
      return {
        all: pair(all.unread_notifications),
        main: pair(parts.unread_notifications),
        threads: Object.fromEntries(threads.map(([root, of]) => [root, pair(of)])),
      };
    };
    return { db, ports, test, alice, bob, roomId, since, relating, named, say, read, counts };
  };

  /** The events of Complement's TestThreadedReceipts. */
  const thread = async () => {
    const room = await start();
    const { say, relating, named, test, alice, roomId } = room;
    const a = await say();
    const b = await say(relating('m.thread', a));
    await say(relating('m.thread', a, named));
    const d = await say(named);
    await say(relating('m.thread', a));
    const f = await say(relating('m.reference', a));
    const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: f, key: 'test' } };
    const g = await test.rooms.sendMessage(alice, { roomId, type: 'm.room.reaction', content });
    return { ...room, a, b, d, f, g };
  };

  it('are moved by receipts of one thread each, and by unthreaded ones of all', async () => {
    const { test, counts, read, a, b, d, g } = await thread();
    const expected = [
      { all: [6, 2], main: [3, 1], threads: { [a]: [3, 1] } },
      { all: [5, 2], main: [2, 1], threads: { [a]: [3, 1] } },
      { all: [4, 2], main: [2, 1], threads: { [a]: [2, 1] } },
      { all: [2, 0], main: [1, 0], threads: { [a]: [1, 0] } },
      { all: [1, 0], main: [1, 0], threads: {} },
    ];
    const steps = [async () => {}, () => read(a, 'main'), () => read(b, a), () => read(d), () => read(g, a)];
    for (const [index, step] of steps.entries()) {
      await step();
      expect(await counts()).toEqual(expected[index]);
    }
    expect(await counts(test.restarted())).toEqual(expected.at(-1));
  });

  it('follow what relates to an event in a thread, three steps far', async () => {
    const { counts, say, relating, a, b, bob, test, roomId } = await thread();
    await test.rooms.setReceipt(bob, roomId, 'm.read', await say(), undefined);
    const one = await say(relating('m.reference', b));
    const two = await say(relating('m.reference', one));
    await say(relating('m.reference', two));
    expect(await counts()).toEqual({ all: [3, 0], main: [1, 0], threads: { [a]: [2, 0] } });
  });

  it('lose what is redacted, and keep the rest in its thread', async () => {
    const { test, alice, roomId, counts, read, a, b, d } = await thread();
    await test.rooms.redactEvent(alice, { roomId, eventId: b, content: {} });
    expect(await counts()).toEqual({ all: [5, 2], main: [3, 1], threads: { [a]: [2, 1] } });
    // It is still where it was.
    await read(b, a);
    await expect(read(b, 'main')).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
    await test.rooms.redactEvent(alice, { roomId, eventId: d, content: {} });
    expect(await counts()).toEqual({ all: [4, 1], main: [2, 0], threads: { [a]: [2, 1] } });
  });

  it('count the main timeline further on when nobody reads the threads', async () => {
    const { test, counts, say, read, relating, a } = await thread();
    for (let i = 0; i < 3; i++) {
      await read(await say(), 'main');
      await say();
      await say(relating('m.thread', a));
      expect(await counts()).toEqual({ all: [5 + i, 1], main: [1, 0], threads: { [a]: [4 + i, 1] } });
    }
    expect(await counts(test.restarted())).toEqual({ all: [7, 1], main: [1, 0], threads: { [a]: [6, 1] } });
  });

  it('cost no read when an event comes', async () => {
    const { db, ports, test, bob, say, read, relating, named, a } = await thread();
    await read(await say(), 'main');
    for (const content of [{}, relating('m.thread', a)]) {
      const filter = { room: { timeline: { unread_thread_notifications: true } } };
      const { next_batch } = await test.syncOnce(bob, undefined, { filter });
      const waiting = test.syncWaiting(bob, next_batch, { filter });
      await ports.settle();
      db.reads.length = 0;
      await say(content);
      expect((await waiting).rooms?.join).toBeDefined();
      expect(db.reads).toEqual([]);
    }
    expect(named).toBeDefined();
  });

  it('move with the receipt alone', async () => {
    const { test, bob, roomId, read, a, b } = await thread();
    const filter = { room: { timeline: { unread_thread_notifications: true } } };
    const { next_batch } = await test.syncOnce(bob, undefined, { filter });
    const waiting = test.syncWaiting(bob, next_batch, { filter });
    await read(b, a);
    const room = (await waiting).rooms?.join?.[roomId];
    expect(room?.timeline.events).toEqual([]);
    expect(room?.unread_thread_notifications?.[a]).toEqual({ notification_count: 2, highlight_count: 1 });
  });

  it('refuse receipts of threads that the event is not in', async () => {
    const { alice, read, a, b, d, f, g } = await thread();
    for (const [eventId, threadId] of [
      [b, 'main'],
      [b, b.slice(0, -1)],
      [d, a],
      [d, '$unknown'],
      [f, 'Main'],
      [a, ''],
      [b, d],
    ] as const)
      await expect(read(eventId, threadId)).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_PARAM' });
    for (const [eventId, threadId] of [
      [a, 'main'],
      [a, a],
      [f, 'main'],
      [f, a],
      [g, a],
      [g, 'main'],
    ] as const)
      await read(eventId, threadId, alice);
  });
});
