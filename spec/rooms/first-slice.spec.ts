import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms } from '../support/test-rooms.ts';

describeOnBothEngines('rooms and sync', (engine) => {
  const start = async () => new TestRooms(await engine.open(), testPorts(1));
  const bodies = (events: readonly ClientEvent[] = []) =>
    events.filter((event) => event.type === 'm.room.message').map((event) => event.content['body']);

  it.each(['1', '2', '3', '6', '9', '10', '11', '12'] as const)(
    'room version %s: create, invite, join, talk, sync',
    async (roomVersion) => {
      const test = await start();
      const alice = await test.user('alice');
      const bob = await test.user('bob');
      const roomId = await test.createRoom(alice, {
        roomVersion,
        preset: 'private_chat',
        name: 'Veche',
        invite: [bob.userId],
      });
      const invited = await test.syncOnce(bob);
      expect(Object.keys(invited.rooms?.invite ?? {})).toEqual([roomId]);
      await test.rooms.joinRoom(bob, { roomId });
      const first = await test.syncOnce(alice);
      await test.say(bob, roomId, 'hello');
      await test.say(alice, roomId, 'welcome');
      const next = await test.syncOnce(alice, first.next_batch);
      const room = next.rooms?.join?.[roomId];
      expect(bodies(room?.timeline.events)).toEqual(['hello', 'welcome']);
      expect(room?.timeline.limited).toBe(false);
      expect(room?.timeline.events[1]?.unsigned?.['transaction_id']).toBe('welcome');
      const full = await test.syncOnce(bob);
      expect(bodies(full.rooms?.join?.[roomId]?.timeline.events)).toEqual(['hello', 'welcome']);
      expect(full.rooms?.join?.[roomId]?.summary).toMatchObject({ 'm.joined_member_count': 2 });
    },
  );

  it('gives a repeated transaction the first event', async () => {
    const test = await start();
    const alice = await test.user('alice');
    const roomId = await test.createRoom(alice);
    const [one, two] = await Promise.all([
      test.say(alice, roomId, 'once', {}, 'txn'),
      test.say(alice, roomId, 'once', {}, 'txn'),
    ]);
    expect(two).toBe(one);
    expect(await test.say(alice, roomId, 'once', {}, 'txn')).toBe(one);
    expect(bodies((await test.history(alice, roomId)).chunk)).toEqual(['once']);
  });

  it('wakes a waiting sync, and answers it with what happened', async () => {
    const test = await start();
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    const waiting = test.syncWaiting(bob, since);
    await test.say(alice, roomId, 'wake up');
    const answer = await waiting;
    expect(bodies(answer.rooms?.join?.[roomId]?.timeline.events)).toEqual(['wake up']);
    expect(answer.rooms?.join?.[roomId]?.unread_notifications).toEqual({ notification_count: 1, highlight_count: 0 });
  });

  it('counts what is unread, highlights mentions, and forgets both with a receipt or an own message', async () => {
    const test = await start();
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.say(alice, roomId, 'one');
    const mention = await test.say(alice, roomId, 'two', { 'm.mentions': { user_ids: [bob.userId] } });
    await test.say(alice, roomId, 'three', { 'm.mentions': { room: true } });
    const counts = async () => (await test.syncOnce(bob, since)).rooms?.join?.[roomId]?.unread_notifications;
    expect(await counts()).toEqual({ notification_count: 3, highlight_count: 2 });
    await test.rooms.setReceipt(bob, roomId, 'm.read', mention, undefined);
    expect(await counts()).toEqual({ notification_count: 1, highlight_count: 1 });
    await test.say(bob, roomId, 'read');
    expect(await counts()).toEqual({ notification_count: 0, highlight_count: 0 });
    await test.say(alice, roomId, 'four');
    expect(await counts()).toEqual({ notification_count: 1, highlight_count: 0 });
  });

  it('limits a timeline and gives the state that changed before it', async () => {
    const test = await start();
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.rooms.sendState(alice, { roomId, type: 'm.room.topic', stateKey: '', content: { topic: 'old' } });
    await test.rooms.sendState(alice, { roomId, type: 'm.room.topic', stateKey: '', content: { topic: 'new' } });
    for (let i = 0; i < 12; i++) await test.say(alice, roomId, `m${i}`);
    const room = (await test.syncOnce(bob, since)).rooms?.join?.[roomId];
    expect(room?.timeline.limited).toBe(true);
    expect(bodies(room?.timeline.events)).toEqual(Array.from({ length: 10 }, (_, i) => `m${i + 2}`));
    expect(room?.state.events.map((event) => event.content)).toEqual([{ topic: 'new' }]);
    const { chunk } = await test.history(bob, roomId, { limit: 4, from: room?.timeline.prev_batch });
    expect(chunk.map((event) => event.content['body'] ?? event.content['topic'])).toEqual(['m1', 'm0', 'new', 'old']);
  });

  it('redacts in the stored form, and says why', async () => {
    const test = await start();
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const eventId = await test.say(bob, roomId, 'a secret');
    const { next_batch: since } = await test.syncOnce(bob);
    await test.rooms.redactEvent(alice, { roomId, eventId, content: { reason: 'careful' } });
    const event = await test.event(bob, roomId, eventId);
    expect(event.content).toEqual({});
    expect(event.unsigned?.['redacted_because']).toMatchObject({ content: { reason: 'careful' } });
    const news = (await test.syncOnce(bob, since)).rooms?.join?.[roomId];
    expect(news?.timeline.events.map((each) => each.type)).toEqual(['m.room.redaction']);
  });

  it('tells of typing, receipts, leaving and being banned', async () => {
    const test = await start();
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const eventId = await test.say(alice, roomId, 'one');
    let { next_batch: since } = await test.syncOnce(alice);
    await test.rooms.setTyping(bob, roomId, 10_000);
    await test.rooms.setReceipt(bob, roomId, 'm.read', eventId, undefined);
    await test.ctx.db.drained();
    const news = await test.syncOnce(alice, since);
    expect(news.rooms?.join?.[roomId]?.ephemeral.events).toEqual([
      { type: 'm.typing', content: { user_ids: [bob.userId] } },
      {
        type: 'm.receipt',
        content: { [eventId]: { 'm.read': { [bob.userId]: { ts: expect.any(Number) as number } } } },
      },
    ]);
    ({ next_batch: since } = await test.syncOnce(bob));
    await test.rooms.banUser(alice, { roomId, target: bob.userId, reason: 'rude' });
    await test.say(alice, roomId, 'he is gone');
    const left = (await test.syncOnce(bob, since)).rooms?.leave?.[roomId];
    expect(left?.timeline.events.map((event) => event.content['membership'])).toEqual(['ban']);
    await expect(test.say(bob, roomId, 'let me in')).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    expect((await test.syncOnce(bob, since)).rooms?.join).toBeUndefined();
  });

  it('refuses strangers', async () => {
    const test = await start();
    const [alice, eve] = [await test.user('alice'), await test.user('eve')];
    const roomId = await test.createRoom(alice, { preset: 'private_chat' });
    for (const attempt of [
      () => test.say(eve, roomId, 'hi'),
      () => test.rooms.joinRoom(eve, { roomId }),
      () => test.rooms.state(eve, roomId),
      () => test.rooms.messages(eve, roomId, { dir: 'b', limit: 1 }),
      () => test.say(eve, '!nowhere:test' as RoomId, 'hi'),
    ])
      await expect(attempt()).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });
});
