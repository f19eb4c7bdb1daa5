import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms, type TestUser } from '../support/test-rooms.ts';

describeOnBothEngines('rooms that somebody left', (engine) => {
  const start = async (preset: 'public_chat' | 'private_chat' = 'private_chat') => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, { preset, name: 'Secret plans' });
    const { next_batch: since } = await test.syncOnce(bob);
    return { test, alice, bob, roomId, since };
  };
  /** Message bodies and memberships, in order. */
  const told = (events: readonly ClientEvent[] = []) =>
    events.map((event) => event.content['body'] ?? event.content['membership'] ?? event.type);
  const left = async (test: TestRooms, user: TestUser, roomId: RoomId, since: string) =>
    (await test.syncOnce(user, since)).rooms?.leave?.[roomId];
  const includeLeave = { filter: { room: { include_leave: true } } };

  it.each(['rejects an invite', 'is disinvited', 'is banned instead'])(
    'shows nothing of the room to somebody who %s',
    async (how) => {
      const { test, alice, bob, roomId, since } = await start();
      await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
      await test.say(alice, roomId, 'not for outsiders');
      const { next_batch: invited } = await test.syncOnce(bob, since);
      if (how === 'rejects an invite') await test.rooms.leaveRoom(bob, { roomId });
      else if (how === 'is disinvited') await test.rooms.kickUser(alice, { roomId, target: bob.userId });
      else await test.rooms.banUser(alice, { roomId, target: bob.userId });
      const membership = how === 'is banned instead' ? 'ban' : 'leave';
      for (const answer of [
        await left(test, bob, roomId, invited),
        await left(test, bob, roomId, since),
        (await test.syncOnce(bob, undefined, includeLeave)).rooms?.leave?.[roomId],
      ]) {
        expect(told(answer?.timeline.events)).toEqual([membership]);
        expect(answer?.state.events).toEqual([]);
      }
      expect((await test.syncOnce(bob)).rooms).toBeUndefined();
    },
  );

  it('shows nothing of the room to somebody who is banned from outside', async () => {
    const { test, alice, bob, roomId, since } = await start('public_chat');
    await test.rooms.banUser(alice, { roomId, target: bob.userId, reason: 'known spammer' });
    const answer = await left(test, bob, roomId, since);
    expect(answer?.timeline.events.map((event) => event.content)).toEqual([
      { membership: 'ban', reason: 'known spammer' },
    ]);
    expect(answer?.state.events).toEqual([]);
  });

  it('ends with the departure, and later tells of a ban and its end without what happened in between', async () => {
    const { test, alice, bob, roomId } = await start('public_chat');
    await test.rooms.joinRoom(bob, { roomId });
    let { next_batch: since } = await test.syncOnce(bob);
    await test.say(alice, roomId, 'one');
    await test.rooms.leaveRoom(bob, { roomId, reason: 'bored' });
    await test.say(alice, roomId, 'two');
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'without bob' });
    expect(told((await left(test, bob, roomId, since))?.timeline.events)).toEqual(['one', 'leave']);
    ({ next_batch: since } = await test.syncOnce(bob, since));
    for (const [change, membership] of [
      ['banUser', 'ban'],
      ['unbanUser', 'leave'],
      ['inviteUser', undefined],
      ['kickUser', 'leave'],
    ] as const) {
      await test.rooms[change](alice, { roomId, target: bob.userId });
      await test.say(alice, roomId, `after ${change}`);
      const answer = await test.syncOnce(bob, since);
      since = answer.next_batch;
      if (membership === undefined) expect(answer.rooms?.invite?.[roomId]).toBeDefined();
      else expect(told(answer.rooms?.leave?.[roomId]?.timeline.events)).toEqual([membership]);
      expect(answer.rooms?.leave?.[roomId]?.state.events ?? []).toEqual([]);
    }
  });

  it('loses no state where there is no room in the timeline beside what came of the membership later', async () => {
    const { test, alice, bob, roomId } = await start('public_chat');
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'the last' });
    await test.rooms.leaveRoom(bob, { roomId });
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    const filter = { room: { timeline: { limit: 2 } } };
    const answer = (await test.syncOnce(bob, since, { filter })).rooms?.leave?.[roomId];
    expect(told(answer?.timeline.events)).toEqual(['leave', 'ban']);
    expect(answer?.timeline.limited).toBe(true);
    expect(answer?.state.events.map((event) => event.content)).toEqual([{ topic: 'the last' }]);
  });

  it('gives all of a stay that nobody had been told of', async () => {
    const { test, alice, bob, roomId, since } = await start('public_chat');
    await test.say(alice, roomId, 'before');
    await test.rooms.joinRoom(bob, { roomId });
    await test.say(alice, roomId, 'during');
    await test.rooms.kickUser(alice, { roomId, target: bob.userId });
    await test.say(alice, roomId, 'after');
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    const answer = await left(test, bob, roomId, since);
    expect(told(answer?.timeline.events).slice(-5)).toEqual(['before', 'join', 'during', 'leave', 'ban']);
    const state = [...(answer?.state.events ?? []), ...(answer?.timeline.events ?? [])].map((event) => event.type);
    expect(state).toContain('m.room.name');
    expect(await test.syncOnce(bob)).not.toHaveProperty('rooms');
    const all = await test.syncOnce(bob, undefined, includeLeave);
    expect(told(all.rooms?.leave?.[roomId]?.timeline.events).slice(-2)).toEqual(['leave', 'ban']);
  });

  it('goes on where it was when somebody was away between two requests', async () => {
    const { test, alice, bob, roomId } = await start('public_chat');
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    await test.rooms.joinRoom(bob, { roomId });
    await test.say(alice, roomId, 'known');
    const { next_batch: since } = await test.syncOnce(bob);
    await test.say(alice, roomId, 'before');
    await test.rooms.leaveRoom(bob, { roomId });
    const read = await test.say(alice, roomId, 'while away');
    await test.rooms.setReceipt(alice, roomId, 'm.read', read, undefined);
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'while away' });
    await test.rooms.joinRoom(bob, { roomId });
    await test.say(alice, roomId, 'back');
    const answer = (await test.syncOnce(bob, since)).rooms?.join?.[roomId];
    // What happened while bob was away is a hole, and the timeline begins behind it.
    expect(told(answer?.timeline.events)).toEqual(['join', 'back']);
    expect(answer?.timeline.limited).toBe(true);
    expect(answer?.state.events.map((event) => event.content)).toEqual(
      expect.arrayContaining([{ topic: 'while away' }, { membership: 'leave' }]),
    );
    expect(answer?.state.events).toHaveLength(2);
    expect(Object.keys(answer?.ephemeral.events[0]?.content ?? {})).toEqual([read]);
    const gap = await test.history(bob, roomId, { from: answer?.timeline.prev_batch, to: since });
    expect(told(gap.chunk)).toEqual(['leave', 'before']);
  });

  it('starts anew when somebody comes back whose departure had been told', async () => {
    const { test, alice, bob, roomId } = await start('public_chat');
    await test.rooms.joinRoom(bob, { roomId });
    await test.rooms.leaveRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.rooms.joinRoom(bob, { roomId });
    const answer = (await test.syncOnce(bob, since)).rooms?.join?.[roomId];
    const events = [...(answer?.state.events ?? []), ...(answer?.timeline.events ?? [])];
    expect(events.map((event) => event.type)).toEqual(
      expect.arrayContaining(['m.room.create', 'm.room.name', 'm.room.power_levels']),
    );
    expect(answer?.summary).toMatchObject({ 'm.joined_member_count': 2 });
    expect(alice.userId).toBeDefined();
  });

  it('tells of a second invite as of the first', async () => {
    const { test, alice, bob, roomId, since } = await start();
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    const { next_batch: once } = await test.syncOnce(bob, since);
    expect((await test.syncOnce(bob, once)).rooms).toBeUndefined();
    await test.setState(alice, roomId, 'm.room.name', { name: 'Plans' });
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId, reason: 'please' });
    const shown = (await test.syncOnce(bob, once)).rooms?.invite?.[roomId]?.invite_state.events ?? [];
    expect(shown.find((event) => event.type === 'm.room.name')?.content).toEqual({ name: 'Plans' });
    expect(shown.find((event) => event.state_key === bob.userId)?.content).toMatchObject({ reason: 'please' });
    expect(shown.every((event) => !('event_id' in event) && !('origin_server_ts' in event))).toBe(true);
  });

  it('wakes who waits and is kicked', async () => {
    const { test, alice, bob, roomId } = await start('public_chat');
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    const waiting = test.syncWaiting(bob, since);
    await test.rooms.kickUser(alice, { roomId, target: bob.userId, reason: 'out' });
    expect(told((await waiting).rooms?.leave?.[roomId]?.timeline.events)).toEqual(['leave']);
  });

  it('and forgot tells only of the departure, and only devices that knew the room', async () => {
    const { test, alice, bob, roomId } = await start('public_chat');
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.rooms.leaveRoom(bob, { roomId });
    await test.rooms.forgetRoom(bob, roomId);
    await test.say(alice, roomId, 'not for those who forgot');
    for (const one of [test, test.restarted()]) {
      expect(await one.syncOnce(bob, undefined, includeLeave)).not.toHaveProperty('rooms');
      const { rooms, next_batch: later } = await one.syncOnce(bob, since, includeLeave);
      expect(told(rooms?.leave?.[roomId]?.timeline.events)).toEqual(['leave']);
      expect((await one.syncOnce(bob, later, { ...includeLeave, fullState: true })).rooms).toBeUndefined();
    }
    const last = test.restarted();
    await last.rooms.joinRoom(bob, { roomId });
    expect((await last.syncOnce(bob)).rooms?.join).toHaveProperty([roomId]);
    await last.rooms.leaveRoom(bob, { roomId });
    expect((await last.syncOnce(bob, undefined, includeLeave)).rooms?.leave).toHaveProperty([roomId]);
  });
});
