import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { asSent, type SyncAnswer, TestRooms, type TestUser, nothingNew } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('ignored users', (engine) => {
  const start = async () => {
    const ports = testPorts(1);
    const db = new WatchedDatabase(await engine.open({ ports }));
    const test = new TestRooms(db, ports, { hasPresence: true });
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice, {
      powerLevelContentOverride: { events_default: 0, state_default: 0 },
    });
    await test.rooms.joinRoom(bob, { roomId });
    await test.rooms.joinRoom(carol, { roomId });
    const ignore = (...users: TestUser[]) =>
      test.setAccountData(alice, 'm.ignored_user_list', {
        ignored_users: Object.fromEntries(users.map(({ userId }) => [userId, {}])),
      });
    const sync = (since?: string, filter: JsonObject = {}) =>
      test.syncOnce(alice, since, { setPresence: 'offline', filter });
    return { ports, db, test, alice, bob, carol, roomId, ignore, sync };
  };

  const bodies = (answer: SyncAnswer, roomId: RoomId) =>
    (answer.rooms?.join?.[roomId]?.timeline.events ?? []).flatMap(({ content }) => content['body'] ?? []);

  it('are not heard, except in state, from the moment of the change until that of the next', async () => {
    const { test, bob, carol, roomId, ignore, sync } = await start();
    await test.say(bob, roomId, 'before');
    const { next_batch: first } = await sync();
    await ignore(bob);
    await test.say(bob, roomId, 'unheard');
    await test.setState(bob, roomId, 'm.room.topic', { topic: 'told' });
    await test.say(carol, roomId, 'heard');
    const answer = await sync(first);
    expect(bodies(answer, roomId)).toEqual(['heard']);
    const { timeline } = answer.rooms?.join?.[roomId] ?? {};
    expect(timeline?.events.map(({ type }) => type)).toEqual(['m.room.topic', 'm.room.message']);
    expect(bodies(await sync(), roomId)).toEqual(['heard']);
    await ignore(carol);
    await test.say(bob, roomId, 'again');
    expect(bodies(await sync(answer.next_batch), roomId)).toEqual(['again']);
    expect(bodies(await sync(), roomId)).toEqual(['before', 'unheard', 'again']);
    await ignore();
    expect(bodies(await sync(), roomId)).toEqual(['before', 'unheard', 'heard', 'again']);
  });

  it('do not wake, and are not looked up for each answer', async () => {
    const { ports, db, test, alice, bob, carol, roomId, ignore, sync } = await start();
    await ignore(bob);
    await test.say(carol, roomId, 'warm');
    const { next_batch: warm } = await sync();
    await test.say(bob, roomId, 'unheard');
    await test.say(carol, roomId, 'warm too');
    const { next_batch: since } = await sync(warm);
    db.reads.length = 0;
    const waiting = test.syncOnce(alice, since, { setPresence: 'offline', timeoutMs: 30_000 });
    await ports.settle();
    expect(db.reads).toEqual([]);
    await test.say(bob, roomId, 'unheard too');
    await ports.advance(30_000);
    expect(await waiting).toEqual({ ...nothingNew, next_batch: expect.any(String) });
  });

  it('are left out of pages, contexts and single events', async () => {
    const { test, alice, bob, carol, roomId, ignore } = await start();
    const unheard = await test.say(bob, roomId, 'unheard');
    const topic = await test.setState(bob, roomId, 'm.room.topic', { topic: 'told' });
    const heard = await test.say(carol, roomId, 'heard');
    await test.say(bob, roomId, 'unheard too');
    await ignore(bob);
    const seen = (events: readonly { type: string; content: JsonObject }[]) =>
      events.flatMap(({ type, content }) =>
        type === 'm.room.message' ? [content['body']] : type === 'm.room.topic' ? ['topic'] : [],
      );
    expect(seen((await test.history(alice, roomId)).chunk)).toEqual(['heard', 'topic']);
    expect(seen((await test.history(alice, roomId, { dir: 'f' })).chunk)).toEqual(['topic', 'heard']);
    expect(seen((await test.history(bob, roomId)).chunk)).toEqual(['unheard too', 'heard', 'topic', 'unheard']);
    const context = asSent<{
      events_before: { type: string; content: JsonObject }[];
      events_after: { type: string; content: JsonObject }[];
    }>(await test.rooms.context(alice, roomId, heard, 10, undefined));
    expect([seen(context.events_before)[0], seen(context.events_after)]).toEqual(['topic', []]);
    expect((await test.event(alice, roomId, topic)).content).toEqual({ topic: 'told' });
    const missing = { errcode: 'M_NOT_FOUND' };
    await expect(test.event(alice, roomId, unheard)).rejects.toMatchObject(missing);
    await expect(test.rooms.context(alice, roomId, unheard, 10, undefined)).rejects.toMatchObject(missing);
    expect((await test.event(bob, roomId, unheard)).content['body']).toBe('unheard');
  });

  it('are left out of the deprecated streams, too', async () => {
    const { test, alice, bob, carol, roomId, ignore, sync } = await start();
    await ignore(bob);
    const { next_batch: since } = await sync();
    await test.say(bob, roomId, 'unheard');
    await test.say(carol, roomId, 'heard');
    const initial = await test.sync.initialSync({ requester: alice, limit: 10, archived: false });
    const request = { requester: alice, from: Number(since.slice(1)), timeoutMs: 0 };
    const signal = new AbortController().signal;
    const own = await test.sync.events({ ...request, roomId: undefined, signal });
    const peek = await test.sync.events({ ...request, roomId, signal });
    for (const answer of [initial, own, peek].map((each) => JSON.stringify(each))) {
      expect(answer).toContain('"heard"');
      expect(answer).not.toContain('unheard');
    }
  });

  it('cannot invite, nor be seen to take an invite back', async () => {
    const { test, alice, bob, carol, ignore, sync } = await start();
    await ignore(bob);
    const { next_batch: since } = await sync();
    const fromBob = await test.createRoom(bob, { preset: 'private_chat', invite: [alice.userId] });
    const fromCarol = await test.createRoom(carol, { preset: 'private_chat', invite: [alice.userId] });
    expect(Object.keys((await sync(since)).rooms?.invite ?? {})).toEqual([fromCarol]);
    const answer = await sync();
    expect(Object.keys(answer.rooms?.invite ?? {})).toEqual([fromCarol]);
    await test.rooms.kickUser(bob, { roomId: fromBob, target: alice.userId });
    await test.rooms.kickUser(carol, { roomId: fromCarol, target: alice.userId });
    expect(Object.keys((await sync(answer.next_batch)).rooms?.leave ?? {})).toEqual([fromCarol]);
    await test.rooms.inviteUser(bob, { roomId: fromBob, target: alice.userId });
    const invited = await sync(answer.next_batch);
    expect(invited.rooms?.invite).toBeUndefined();
    await ignore();
    // What was missed is not made up for; a new client is shown it.
    expect((await sync(invited.next_batch)).rooms?.invite).toBeUndefined();
    expect(Object.keys((await sync()).rooms?.invite ?? {})).toEqual([fromBob]);
  });

  it.each(['state', 'state_after'] as const)(
    'cannot hide that a room was left by inviting into it (%s)',
    async (stateField) => {
      const { test, alice, bob, ignore } = await start();
      const roomId = await test.createRoom(bob);
      await test.rooms.joinRoom(alice, { roomId });
      await ignore(bob);
      const { next_batch: since } = await test.syncOnce(alice);
      await test.say(alice, roomId, 'last words');
      await test.rooms.leaveRoom(alice, { roomId });
      await test.rooms.inviteUser(bob, { roomId, target: alice.userId });
      const { rooms } = await test.syncOnce(alice, since, { stateField });
      expect(rooms).not.toHaveProperty('invite');
      const told = rooms?.leave?.[roomId];
      const memberships = (events: readonly { readonly content: JsonObject }[] = []) =>
        events.flatMap(({ content }) => content['membership'] ?? content['body'] ?? []);
      expect(memberships(told?.timeline.events)).toEqual(['last words', 'leave']);
      expect(memberships(told?.state_after?.events)).toEqual(stateField === 'state' ? [] : ['leave']);
    },
  );

  it('do not count, and count again', async () => {
    const { test, alice, bob, carol, roomId, ignore, sync } = await start();
    const counts = async () => {
      const room = (await sync()).rooms?.join?.[roomId];
      return [room?.unread_notifications.notification_count, room?.unread_notifications.highlight_count];
    };
    await test.say(bob, roomId, 'one');
    await test.say(bob, roomId, 'alice!', { 'm.mentions': { user_ids: [alice.userId] } });
    await test.say(carol, roomId, 'three', { 'm.mentions': { user_ids: [alice.userId] } });
    expect(await counts()).toEqual([3, 2]);
    await ignore(bob);
    expect(await counts()).toEqual([1, 1]);
    await test.say(bob, roomId, 'four');
    await test.say(carol, roomId, 'five');
    expect(await counts()).toEqual([2, 1]);
    await ignore();
    expect(await counts()).toEqual([5, 2]);
  });

  it('are not seen typing, reading or being there', async () => {
    const { ports, test, bob, carol, roomId, ignore, sync } = await start();
    const eventId = await test.say(carol, roomId, 'read me');
    await ignore(bob);
    const { next_batch: since } = await sync();
    for (const user of [bob, carol]) {
      test.presence.setPresence(user, user.userId, 'online', undefined);
      await test.rooms.setTyping(user, roomId, 60_000);
      await test.rooms.setReceipt(user, roomId, 'm.read', eventId, undefined);
    }
    await ports.advance(limits.presenceFlushMs);
    await ports.until(() => !test.presence.isTelling);
    await test.ctx.db.drained();
    const text = JSON.stringify(await sync(since));
    expect(text).toContain(carol.userId);
    expect(text).not.toContain(bob.userId);
    expect(text).toContain('m.presence');
    expect(text).toContain('m.typing');
    expect(text).toContain('m.receipt');
  });

  it('are nobody when the list is none, and never oneself', async () => {
    const { test, alice, bob, roomId, sync } = await start();
    for (const content of [{}, { ignored_users: [bob.userId] }, { ignored_users: { bob: {}, [alice.userId]: {} } }]) {
      await test.setAccountData(alice, 'm.ignored_user_list', content);
      const { next_batch: since } = await sync();
      await test.say(alice, roomId, 'mine', {}, JSON.stringify(content));
      await test.say(bob, roomId, 'theirs', {}, JSON.stringify(content));
      expect(bodies(await sync(since), roomId)).toEqual(['mine', 'theirs']);
    }
  });
});
