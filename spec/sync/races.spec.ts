import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import {
  type ClientEvent,
  TestRooms,
  type TestRoomsOptions,
  nothingNew,
  timersOfRooms,
} from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

/** What happens between the moment at which an answer begins and the moment at which its parts are read. */
describeOnBothEngines('sync while things happen', (engine) => {
  const start = async (options: TestRoomsOptions = {}) => {
    const db = new WatchedDatabase(await engine.open());
    const ports = testPorts(1);
    const test = new TestRooms(db, ports, options);
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    return { db, ports, test, alice, bob, carol, roomId, since };
  };
  const bodies = (events: readonly ClientEvent[] = []) =>
    events.map((event) => event.content['body'] ?? event.content['membership']);

  it('tells of what came before a kick that arrives while the answer is made', async () => {
    const { db, test, alice, bob, roomId, since } = await start();
    await test.say(alice, roomId, 'before');
    await test.setAccountData(bob, 'org.example', {});
    const held = db.holdNext('accountData.since');
    const answer = test.syncOnce(bob, since);
    await held.reached;
    await test.say(alice, roomId, 'later');
    await test.rooms.kickUser(alice, { roomId, target: bob.userId });
    held.release();
    const first = await answer;
    expect(bodies(first.rooms?.join?.[roomId]?.timeline.events)).toEqual(['before']);
    const second = await test.syncOnce(bob, first.next_batch);
    expect(bodies(second.rooms?.leave?.[roomId]?.timeline.events)).toEqual(['later', 'leave']);
  });

  it('tells of a join once that arrives while the answer is made', async () => {
    const { db, test, alice, carol, roomId } = await start();
    const { next_batch: since } = await test.syncOnce(carol);
    await test.rooms.inviteUser(alice, { roomId, target: carol.userId });
    await test.setAccountData(carol, 'org.example', {});
    const held = db.holdNext('accountData.since');
    const answer = test.syncOnce(carol, since);
    await held.reached;
    await test.rooms.joinRoom(carol, { roomId });
    held.release();
    const first = await answer;
    expect(first.rooms?.join).toBeUndefined();
    const second = await test.syncOnce(carol, first.next_batch);
    expect(second.rooms?.join?.[roomId]?.timeline.events.at(-1)?.content).toMatchObject({ membership: 'join' });
    expect((await test.syncOnce(carol, second.next_batch)).rooms).toBeUndefined();
  });

  it('forgets nothing of one user because another one is being loaded', async () => {
    const { db, test, alice, bob, carol, roomId } = await start();
    const held = db.holdNext('membership.userRooms');
    const loading = test.syncOnce(carol);
    await held.reached;
    const other = await test.createRoom(bob);
    const { next_batch: since } = await test.syncOnce(bob);
    await test.setAccountData(bob, 'org.example', {}, roomId);
    await test.say(alice, roomId, 'news');
    await test.say(bob, other, 'more news');
    held.release();
    await loading;
    const { rooms } = await test.syncOnce(bob, since);
    expect(bodies(rooms?.join?.[roomId]?.timeline.events)).toEqual(['news']);
    expect(bodies(rooms?.join?.[other]?.timeline.events)).toEqual(['more news']);
    expect(rooms?.join?.[roomId]?.account_data.events).toHaveLength(1);
  });

  it('knows what happened while a user was being loaded', async () => {
    const { db, test, alice, carol, roomId } = await start();
    await test.rooms.joinRoom(carol, { roomId });
    const held = db.holdNext('membership.userRooms');
    const loading = test.syncOnce(carol);
    await held.reached;
    const other = await test.createRoom(alice, { invite: [carol.userId] });
    await test.say(alice, roomId, 'meanwhile');
    held.release();
    const { rooms, next_batch: since } = await loading;
    expect(bodies(rooms?.join?.[roomId]?.timeline.events).at(-1)).toBe('meanwhile');
    expect(Object.keys(rooms?.invite ?? {})).toEqual([other]);
    await test.say(alice, roomId, 'afterwards');
    const news = await test.syncOnce(carol, since);
    expect(bodies(news.rooms?.join?.[roomId]?.timeline.events)).toEqual(['afterwards']);
  });

  it('keeps those who wait in mind, however many others come', async () => {
    const { ports, test, alice, bob, roomId, since } = await start({ sync: { idleUsersMax: 0 } });
    const waiting = test.syncWaiting(bob, since);
    for (const name of ['dan', 'eve', 'fay']) await test.syncOnce(await test.user(name));
    await ports.settle();
    await test.say(alice, roomId, 'still there?');
    const answer = await waiting;
    expect(bodies(answer.rooms?.join?.[roomId]?.timeline.events)).toEqual(['still there?']);
  });

  it('reads from the database what is no longer in memory', async () => {
    const { test, alice, bob, roomId, since } = await start({ sync: { tailsMax: 1, idleUsersMax: 0 } });
    const other = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId: other });
    for (let i = 0; i < 3; i++) await Promise.all([test.say(alice, roomId, `a${i}`), test.say(alice, other, `b${i}`)]);
    const { rooms } = await test.syncOnce(bob, since);
    expect(bodies(rooms?.join?.[roomId]?.timeline.events)).toEqual(['a0', 'a1', 'a2']);
    expect(bodies(rooms?.join?.[other]?.timeline.events).slice(-3)).toEqual(['b0', 'b1', 'b2']);
  });

  it('ends a wait when the client has gone, or when its time is over', async () => {
    const { ports, test, bob, since } = await start();
    const gone = new AbortController();
    const [one, two] = [test.syncWaiting(bob, since, { signal: gone.signal }), test.syncWaiting(bob, since)];
    await ports.settle();
    gone.abort();
    expect(await one).toEqual({ ...nothingNew, next_batch: since });
    await ports.advance(30_000);
    expect(await two).toEqual({ ...nothingNew, next_batch: since });
    expect(ports.timerCount).toBe(timersOfRooms);
  });

  it('wakes for what others may not know, and not for it', async () => {
    const { ports, test, alice, bob, roomId, since } = await start();
    const eventId = await test.say(alice, roomId, 'one');
    const { next_batch: bobs } = await test.syncOnce(bob, since);
    const { next_batch: alices } = await test.syncOnce(alice);
    const [own, foreign] = [test.syncWaiting(bob, bobs), test.syncWaiting(alice, alices)];
    await test.rooms.setReceipt(bob, roomId, 'm.read.private', eventId, undefined);
    expect((await own).rooms?.join?.[roomId]?.unread_notifications.notification_count).toBe(0);
    await test.setAccountData(bob, 'org.example', {});
    await ports.settle();
    await ports.advance(30_000);
    expect(await foreign).toEqual({ ...nothingNew, next_batch: expect.any(String) });
  });
});
