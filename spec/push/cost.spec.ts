import { expect, it } from 'vitest';
import { onSqlite } from '../support/databases.ts';
import { TestPush } from '../support/test-push.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

onSqlite('what push costs', (engine) => {
  it('is nothing where nobody has a pusher, however many members there are', async () => {
    const db = new WatchedDatabase(await engine.open());
    const at = TestPush.start(db);
    const { test } = at;
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const [quiet, loud] = [await test.createRoom(alice), await test.createRoom(alice)];
    await test.rooms.joinRoom(bob, { roomId: quiet });
    await test.rooms.joinRoom(carol, { roomId: loud });
    await at.addPusher(carol, 'key');
    await test.say(alice, quiet, 'warm');
    await test.say(alice, loud, 'warm');
    await at.untilTaken(1);
    const readsOf = async (roomId: typeof quiet): Promise<string[]> => {
      db.reads.length = 0;
      await test.say(alice, roomId, 'hot');
      await at.settle();
      return [...db.reads];
    };
    expect(await readsOf(quiet)).toEqual([]);
    // Of the room: its number of members, the event as it is then; of the member: what they have read.
    expect(await readsOf(loud)).toEqual([
      'membership.joinedCount',
      'timeline.eventsByNids',
      'threadEvent.at',
      'receipt.readUpTo',
    ]);
    await at.close();
  });
});
