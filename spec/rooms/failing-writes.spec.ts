import { expect, it } from 'vitest';
import { UnitFailed } from '../../src/storage/database.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('a write that fails', (engine) => {
  const start = async () => {
    const ports = testPorts(1);
    // As in a server: what is asked for at once is committed together.
    const workers = { inline: false, start: ports.workers.start.bind(ports.workers) };
    const db = new WatchedDatabase(await engine.open({ ports: { timers: ports.timers, workers } }));
    const test = new TestRooms(db, ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    // From here on everything needed is in memory, so that what is asked for at once is built before any of it is written.
    for (const user of [alice, bob]) {
      const eventId = await test.say(user, roomId, 'warm');
      await test.rooms.redactEvent(user, { roomId, eventId, content: {} });
    }
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'first' });
    const bodies = async () =>
      (await test.history(alice, roomId)).chunk.flatMap((event) => event.content['body'] ?? []);
    return { db, test, alice, bob, roomId, bodies };
  };

  it('fails what was built on it, and nothing after it', async () => {
    const { db, test, alice, bob, roomId, bodies } = await start();
    const other = await test.createRoom(alice);
    const { next_batch: since } = await test.syncOnce(bob);
    db.failNextWrite();
    const outcomes = await Promise.allSettled([
      test.say(alice, roomId, 'one'),
      test.say(bob, roomId, 'two'),
      test.say(alice, other, 'elsewhere'),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(outcomes[0]).toMatchObject({ reason: expect.any(UnitFailed) as UnitFailed });
    await test.say(alice, roomId, 'three');
    expect(await bodies()).toEqual(['three']);
    const news = (await test.syncOnce(bob, since)).rooms?.join?.[roomId];
    expect(news?.timeline.events.map((event) => event.content['body'])).toEqual(['three']);
    expect(news?.unread_notifications.notification_count).toBe(1);
  });

  it('leaves its transaction free, so that a retry sends', async () => {
    const { db, test, alice, roomId, bodies } = await start();
    db.failNextWrite();
    const [first, retry] = [test.say(alice, roomId, 'one', {}, 'txn'), test.say(alice, roomId, 'one', {}, 'txn')];
    await expect(first).rejects.toThrow(UnitFailed);
    await expect(retry).rejects.toThrow(UnitFailed);
    const eventId = await test.say(alice, roomId, 'one', {}, 'txn');
    expect(await test.say(alice, roomId, 'one', {}, 'txn')).toBe(eventId);
    expect(await bodies()).toEqual(['one']);
  });

  it('is not what somebody else was told to be so already', async () => {
    const { db, test, alice, bob, roomId } = await start();
    db.failNextWrite();
    const outcomes = await Promise.allSettled([
      test.setState(alice, roomId, 'm.room.topic', { topic: 'one' }),
      test.setState(alice, roomId, 'm.room.topic', { topic: 'one' }),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    expect(await test.rooms.stateEvent(bob, roomId, 'm.room.topic', '', 'content')).toEqual({ topic: 'first' });
    const carol = await test.user('carol');
    await test.rooms.joinRoom(carol, { roomId });
    await test.rooms.leaveRoom(carol, { roomId });
    db.failNextWrite();
    const joins = await Promise.allSettled([
      test.rooms.joinRoom(carol, { roomId }),
      test.rooms.joinRoom(carol, { roomId }),
    ]);
    expect(joins.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    expect((await test.syncOnce(carol)).rooms).toBeUndefined();
    await test.rooms.joinRoom(carol, { roomId });
    expect(Object.keys((await test.syncOnce(carol)).rooms?.join ?? {})).toEqual([roomId]);
  });

  it('redacts nothing', async () => {
    const { db, test, alice, bob, roomId } = await start();
    const eventId = await test.setState(alice, roomId, 'm.room.topic', { topic: 'stays' });
    db.failNextWrite();
    await expect(test.rooms.redactEvent(alice, { roomId, eventId, content: {} })).rejects.toThrow(UnitFailed);
    expect(await test.rooms.stateEvent(bob, roomId, 'm.room.topic', '', 'content')).toEqual({ topic: 'stays' });
    const carol = await test.user('carol');
    await test.rooms.inviteUser(alice, { roomId, target: carol.userId });
    const shown = (await test.syncOnce(carol)).rooms?.invite?.[roomId]?.invite_state.events;
    expect(shown?.find((event) => event.type === 'm.room.topic')?.content).toEqual({ topic: 'stays' });
  });

  it('leaves a new room unmade, and its alias free', async () => {
    const { db, test, alice } = await start();
    const before = await test.rooms.joinedRooms(alice);
    db.failNextWrite();
    await expect(test.createRoom(alice, { name: 'Half' })).rejects.toThrow(UnitFailed);
    expect(await test.rooms.joinedRooms(alice)).toEqual(before);
    await test.createRoom(alice, { name: 'Whole' });
  });
});
