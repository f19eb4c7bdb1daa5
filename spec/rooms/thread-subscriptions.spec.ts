import { expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import { threadSubscriptionChanges } from '../../src/rooms/thread-subscriptions.ts';
import { threadSubscribers } from '../../src/storage/stores/thread-subscription-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

const missing = { status: 404, errcode: 'M_NOT_FOUND' };
const notInThread = { status: 400, errcode: 'IO.ELEMENT.MSC4306.M_NOT_IN_THREAD' };
const conflicting = { status: 409, errcode: 'IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION' };

describeOnBothEngines('threads that people follow', (engine) => {
  const start = async () => {
    const db = await engine.open();
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const root = await test.say(alice, roomId, 'root');
    const reply = (body: string, to = root): Promise<EventId> =>
      test.say(alice, roomId, body, { 'm.relates_to': { rel_type: 'm.thread', event_id: to } });
    const subscribe = (cause?: EventId, user: TestUser = bob) =>
      test.rooms.subscribeToThread(user, roomId, root, cause);
    const unsubscribe = (user: TestUser = bob) => test.rooms.unsubscribeFromThread(user, roomId, root);
    const subscription = (user: TestUser = bob) => test.rooms.threadSubscription(user, roomId, root);
    const changes = (after: number, limit = 100, user: TestUser = bob) =>
      threadSubscriptionChanges({ db }, user.userNid, { after, upTo: db.committedPos(), limit });
    return { db, test, alice, bob, roomId, root, reply, subscribe, unsubscribe, subscription, changes };
  };

  it('subscribes by hand and automatically, where the former wins', async () => {
    const { db, test, alice, bob, roomId, root, reply, subscribe, unsubscribe, subscription } = await start();
    await expect(subscription()).rejects.toMatchObject(missing);
    const first = await reply('first');
    await subscribe(first);
    expect(await subscription()).toEqual({ automatic: true });
    await subscribe();
    expect(await subscription()).toEqual({ automatic: false });
    await subscribe(await reply('second'));
    expect(await subscription()).toEqual({ automatic: false });
    await expect(subscription(alice)).rejects.toMatchObject(missing);
    const { room } = await test.ctx.dags.open(roomId);
    expect(await db.all(threadSubscribers, { room, rootId: root })).toEqual([{ user_nid: bob.userNid }]);
    await unsubscribe();
    await expect(subscription()).rejects.toMatchObject(missing);
    expect(await db.all(threadSubscribers, { room, rootId: root })).toEqual([]);
  });

  it('subscribes automatically only because of an event that came in after an unsubscription', async () => {
    const { test, roomId, reply, subscribe, unsubscribe, subscription } = await start();
    const first = await reply('first');
    await subscribe(first);
    const second = await reply('second');
    await unsubscribe();
    await unsubscribe();
    const third = await reply('third');
    for (const cause of [first, second]) await expect(subscribe(cause)).rejects.toMatchObject(conflicting);
    await expect(subscription()).rejects.toMatchObject(missing);
    await subscribe(third);
    expect(await subscription()).toEqual({ automatic: true });
    // A cause that is older than the subscription does not take it back.
    await subscribe(first);
    expect(await subscription()).toEqual({ automatic: true });
    const elsewhere = await test.say(await test.user('alice'), roomId, 'elsewhere');
    await expect(subscribe(elsewhere)).rejects.toMatchObject(notInThread);
  });

  it('takes nothing but an event of the thread as the cause', async () => {
    const { test, alice, roomId, root, reply, subscribe } = await start();
    const other = await test.say(alice, roomId, 'other root');
    const causes = [root, await reply('in the other thread', other), '$unknown' as EventId];
    for (const cause of causes) await expect(subscribe(cause)).rejects.toMatchObject(notInThread);
  });

  it('shows threads to those who may see them', async () => {
    const { test, alice, bob, roomId, root } = await start();
    const carol = await test.user('carol');
    const hidden = await test.say(alice, roomId, 'hidden');
    const otherRoom = await test.createRoom(alice);
    const elsewhere = await test.say(alice, otherRoom, 'elsewhere');
    const wrong: [TestUser, RoomId, EventId][] = [
      [carol, roomId, root],
      [bob, otherRoom, elsewhere],
      [bob, roomId, elsewhere],
      [bob, roomId, '$unknown' as EventId],
      [bob, '!unknown:test' as RoomId, hidden],
    ];
    for (const [user, room, event] of wrong) {
      await expect(test.rooms.subscribeToThread(user, room, event, undefined)).rejects.toMatchObject(missing);
      await expect(test.rooms.unsubscribeFromThread(user, room, event)).rejects.toMatchObject(missing);
      await expect(test.rooms.threadSubscription(user, room, event)).rejects.toMatchObject(missing);
    }
  });

  it('tells the latest changes between two positions, and the rest in pages', async () => {
    const { db, test, alice, bob, roomId, root, subscribe, unsubscribe, changes } = await start();
    expect(await changes(-1)).toEqual({ subscribed: {}, unsubscribed: {}, end: undefined });
    await subscribe();
    const between = db.committedPos();
    const second = await test.say(alice, roomId, 'second root');
    await test.rooms.subscribeToThread(bob, roomId, second, undefined);
    const afterSecond = db.committedPos();
    await unsubscribe();
    const stamp = { bump_stamp: expect.any(Number) };
    const whole = {
      subscribed: { [roomId]: { [second]: { automatic: false, ...stamp } } },
      unsubscribed: { [roomId]: { [root]: stamp } },
      end: undefined,
    };
    expect(await changes(-1)).toEqual(whole);
    expect(await changes(between)).toEqual(whole);
    expect(await changes(afterSecond)).toEqual({ ...whole, subscribed: {} });
    expect(await changes(db.committedPos())).toEqual({ subscribed: {}, unsubscribed: {}, end: undefined });
    expect(await changes(-1, 100, alice)).toEqual({ subscribed: {}, unsubscribed: {}, end: undefined });
    const newest = await changes(-1, 1);
    expect(newest).toEqual({
      subscribed: {},
      unsubscribed: whole.unsubscribed,
      end: expect.stringMatching(/^s\d+\.0$/),
    });
    const page = (range: { from?: number; to?: number; limit?: number }) =>
      test.rooms.threadSubscriptionsPage(bob, { from: undefined, to: undefined, limit: 100, ...range });
    const rest = await page({ from: Number(newest.end?.slice(1)) });
    expect(rest).toEqual({ subscribed: whole.subscribed, unsubscribed: {} });
    expect(await page({ from: Number(newest.end?.slice(1)), to: afterSecond })).toEqual({
      subscribed: {},
      unsubscribed: {},
    });
    expect(await page({ limit: 1 })).toEqual({ ...newest });
  });

  it('wakes those who follow the stream, and is not there any more after a deactivation', async () => {
    const { db, test, bob, roomId, root, subscribe, changes } = await start();
    const wakes: unknown[] = [];
    db.onCommitted((commit) => {
      for (const wake of commit.wakes) if (wake.kind === 'thread-subscription') wakes.push(wake);
    });
    await subscribe();
    const { room } = await test.ctx.dags.open(roomId);
    expect(wakes).toEqual([
      { kind: 'thread-subscription', userNid: bob.userNid, room, rootId: root, pos: db.committedPos() },
    ]);
    await test.deactivate(bob, { isErased: false });
    expect(await changes(-1)).toEqual({ subscribed: {}, unsubscribed: {}, end: undefined });
  });
});
