import { expect, it } from 'vitest';
import { onSqlite } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

onSqlite('what happens all the time', (engine) => {
  const start = async () => {
    const ports = testPorts(1);
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const eventId = await test.say(alice, roomId, 'warm');
    await test.rooms.setReceipt(bob, roomId, 'm.read', eventId, undefined);
    const { next_batch: since } = await test.syncOnce(bob);
    await test.say(alice, roomId, 'warmer');
    const { next_batch } = await test.syncOnce(bob, since);
    const readsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
      db.reads.length = 0;
      await work();
      return [...db.reads];
    };
    return { ports, test, alice, bob, roomId, since: next_batch, readsOf };
  };

  it('sends a message without a read', async () => {
    const { test, alice, roomId, readsOf } = await start();
    expect(await readsOf(() => test.say(alice, roomId, 'hot'))).toEqual([]);
    expect(await readsOf(() => test.say(alice, roomId, 'hot', {}, 'other id'))).toEqual([]);
    const rootId = await test.say(alice, roomId, 'root');
    const thread = { 'm.relates_to': { rel_type: 'm.thread', event_id: rootId }, 'm.mentions': {} };
    expect(await readsOf(() => test.say(alice, roomId, 'hotter', thread))).toEqual([]);
  });

  it('delivers it to who waits without a read', async () => {
    const { ports, test, alice, bob, roomId, since, readsOf } = await start();
    const waiting = test.syncWaiting(bob, since);
    await ports.settle();
    const reads = await readsOf(async () => {
      await test.say(alice, roomId, 'hot');
      const answer = await waiting;
      expect(answer.rooms?.join?.[roomId]?.unread_notifications.notification_count).toBe(2);
    });
    expect(reads).toEqual([]);
  });

  it('delivers what an erased user sent at the price of what others sent', async () => {
    const readsWhen = async (isErased: boolean): Promise<string[]> => {
      const { test, alice, bob, roomId, since, readsOf } = await start();
      await test.say(alice, roomId, 'the last word');
      await test.deactivate(alice, { isErased });
      return readsOf(async () => {
        const events = (await test.syncOnce(bob, since)).rooms?.join?.[roomId]?.timeline.events ?? [];
        expect(events.map(({ content }) => content['body'] ?? content['membership'])).toEqual([
          'the last word',
          'leave',
        ]);
      });
    };
    expect(await readsWhen(true)).toEqual(await readsWhen(false));
  });

  it('finds nothing new without a read', async () => {
    const { test, bob, since, readsOf } = await start();
    expect(await readsOf(() => test.syncOnce(bob, since))).toEqual([]);
  });

  it('makes a room without a read, and lets somebody into it with one', async () => {
    const { test, alice, roomId, readsOf } = await start();
    expect(await readsOf(() => test.createRoom(alice))).toEqual([]);
    const carol = await test.user('carol');
    expect(await readsOf(() => test.rooms.joinRoom(carol, { roomId }))).toEqual(['stateKey.byKeys']);
  });

  it('reads no more for a first sync of many rooms than of a few', async () => {
    const { test, alice, bob, readsOf } = await start();
    const readsWith = async (rooms: number): Promise<string[]> => {
      for (let i = 0; i < rooms; i++) await test.rooms.joinRoom(bob, { roomId: await test.createRoom(alice) });
      await test.syncOnce(bob);
      return readsOf(() => test.syncOnce(bob));
    };
    expect(await readsWith(30)).toEqual(await readsWith(3));
  });

  it('tells of typing without a read, of a receipt with one', async () => {
    const { test, alice, bob, roomId, since, readsOf } = await start();
    await test.rooms.setTyping(alice, roomId, 5_000);
    await test.ctx.db.drained();
    expect(await readsOf(() => test.syncOnce(bob, since))).toEqual([]);
    const eventId = await test.say(bob, roomId, 'mine');
    await test.rooms.setReceipt(alice, roomId, 'm.read', eventId, undefined);
    const { next_batch } = await test.syncOnce(bob, since);
    await test.rooms.setReceipt(alice, roomId, 'm.read', await test.say(bob, roomId, 'mine too'), undefined);
    // Its own message moved what bob has read, too.
    expect(await readsOf(() => test.syncOnce(bob, next_batch))).toEqual([
      'receipt.after',
      'receipt.readUpTo',
      'mention.above',
    ]);
  });

  it('looks at one change of one room, however many rooms there are', async () => {
    const { test, alice, bob, roomId, readsOf } = await start();
    for (let i = 0; i < 30; i++) await test.rooms.joinRoom(bob, { roomId: await test.createRoom(alice) });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.say(alice, roomId, 'one change');
    const reads = await readsOf(async () => {
      expect(Object.keys((await test.syncOnce(bob, since)).rooms?.join ?? {})).toEqual([roomId]);
    });
    expect(reads).toEqual([]);
  });
});
