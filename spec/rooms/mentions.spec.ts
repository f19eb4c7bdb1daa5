import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { ancestryFrom } from '../../src/rooms/threads.ts';
import { everybody, mentionedUsers, mentionsIn } from '../../src/rooms/mentions.ts';
import { onSqlite } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

/** Rows in which the unread counts of some differ from the room's. */
onSqlite('mentions', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob, carol, eve] = [
      await test.user('alice'),
      await test.user('bob'),
      await test.user('carol'),
      await test.user('eve'),
    ];
    const roomId = await test.createRoom(alice);
    for (const user of [bob, carol]) await test.rooms.joinRoom(user, { roomId });
    const dag = await test.ctx.dags.open(roomId);
    const eventOf = async (sender: TestUser, type: string, content: JsonObject, stateKey?: string) => {
      const eventId =
        stateKey === undefined
          ? await test.rooms.sendMessage(sender, { roomId, type, content })
          : await test.setState(sender, roomId, type, content, stateKey);
      return test.storedEvent(eventId);
    };
    const rows = async (sender: TestUser, content: JsonObject, type = 'm.room.message', stateKey?: string) => {
      const event = await eventOf(sender, type, content, stateKey);
      return mentionsIn(
        test.ctx,
        dag,
        event,
        ancestryFrom(event, await test.ctx.relations.lineageOf(dag.room, event)).threadId,
      );
    };
    return { db, test, alice, bob, carol, eve, dag, rows, eventOf };
  };
  const mention = (...ids: string[]): JsonObject => ({ 'm.mentions': { user_ids: ids } });

  it('cost nothing where nobody is mentioned', async () => {
    const { db, bob, dag, test, eventOf } = await start();
    for (const content of [{}, { 'm.mentions': 'all' }, { body: '@room bob' }, { 'm.mentions': [] }]) {
      const event = await eventOf(bob, 'm.room.message', content);
      db.reads.length = 0;
      expect(await mentionsIn(test.ctx, dag, event, 'main')).toEqual([]);
      expect(db.reads).toEqual([]);
    }
    expect(await mentionsIn(test.ctx, dag, await eventOf(bob, 'm.room.message', { 'm.mentions': {} }), 'main')).toEqual(
      [],
    );
  });

  it('highlight the event for members who are named, once each, and not for the sender', async () => {
    const { alice, bob, carol, eve, rows } = await start();
    expect(await rows(alice, mention(bob.userId, carol.userId, bob.userId, alice.userId, eve.userId))).toEqual([
      { user: bob.userNid, thread: 'main', notify: 0, highlight: 1 },
      { user: carol.userNid, thread: 'main', notify: 0, highlight: 1 },
    ]);
  });

  it('count what the default rules do not count for everybody', async () => {
    const { alice, bob, rows } = await start();
    expect(await rows(alice, mention(bob.userId), 'org.example')).toEqual([
      { user: bob.userNid, thread: 'main', notify: 1, highlight: 1 },
    ]);
    // A notice is suppressed by a rule before that of mentions.
    expect(await rows(alice, { msgtype: 'm.notice', ...mention(bob.userId) })).toEqual([]);
  });

  it('of the whole room are one row, if the sender may', async () => {
    const { alice, bob, rows } = await start();
    const room = { 'm.mentions': { room: true } };
    expect(await rows(alice, room)).toEqual([{ user: everybody, thread: 'main', notify: 0, highlight: 1 }]);
    expect(await rows(bob, room)).toEqual([]);
    expect(await rows(alice, { 'm.mentions': { room: 'true' } })).toEqual([]);
    expect(await rows(alice, { 'm.mentions': { room: true, user_ids: [bob.userId] } })).toEqual([
      { user: everybody, thread: 'main', notify: 0, highlight: 1 },
      { user: bob.userNid, thread: 'main', notify: 0, highlight: 1 },
    ]);
  });

  it('say in which thread they are', async () => {
    const { alice, bob, rows } = await start();
    const relation = { rel_type: 'm.thread', event_id: '$root' };
    expect((await rows(alice, { ...mention(bob.userId), 'm.relates_to': relation }))[0]?.thread).toBe('$root');
  });

  it('take nonsense for what it is', async () => {
    const { alice, bob, rows } = await start();
    const ids = [7, null, {}, 'bob', '@bob', '@nobody:test', '@bob:elsewhere', '__proto__', bob.userId] as never[];
    expect(await rows(alice, { 'm.mentions': { user_ids: ids } })).toEqual([
      { user: bob.userNid, thread: 'main', notify: 0, highlight: 1 },
    ]);
    expect(await rows(alice, { 'm.mentions': { user_ids: bob.userId } })).toEqual([]);
  });

  it('highlight at most 200 of one event', async () => {
    const { test, alice, bob, rows } = await start();
    const many = Array.from({ length: 250 }, (_, index) => `@user${index}:test`);
    expect(await rows(alice, mention(...many, bob.userId))).toEqual([]);
    expect(await rows(alice, mention(bob.userId, ...many))).toHaveLength(1);
    expect(test.ctx).toBeDefined();
  });

  it('are known again when the event is redacted, whoever is still there', async () => {
    const { test, alice, bob, carol, eventOf } = await start();
    const event = await eventOf(alice, 'm.room.message', mention(bob.userId, '@nobody:test', carol.userId));
    expect(await mentionedUsers(test.ctx, event)).toEqual([bob.userNid, carol.userNid]);
    expect(await mentionedUsers(test.ctx, await eventOf(alice, 'm.room.message', {}))).toEqual([]);
  });
});
