import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, type SyncTestOptions, TestRooms, type TestUser } from '../support/test-rooms.ts';

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync, use_state_after */
describeOnBothEngines('state as of the end of the timeline', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, { name: 'Room', powerLevelContentOverride: { invite: 0 } });
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    const ask = async (user: TestUser, from?: string, options: SyncTestOptions = {}) => {
      const answer = await test.syncOnce(user, from, { stateField: 'state_after', ...options });
      const room = answer.rooms?.join?.[roomId];
      return { room, state: room?.state_after?.events, since: answer.next_batch, leave: answer.rooms?.leave };
    };
    return { test, alice, bob, roomId, since, ask };
  };
  const told = (events: readonly ClientEvent[] = []) =>
    events.map(({ content }) => content['topic'] ?? content['name'] ?? content['membership'] ?? content['body']);
  const keys = (events: readonly ClientEvent[] = []) =>
    events.map((event) => `${event.type} ${event.state_key}`).toSorted((a, b) => (a < b ? -1 : 1));

  it('holds what changed within the timeline, and takes the place of the other one', async () => {
    const { test, alice, bob, roomId, since, ask } = await start();
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'one' });
    await test.say(alice, roomId, 'hello');
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'two' });
    const { room, state } = await ask(bob, since);
    expect(told(room?.timeline.events)).toEqual(['one', 'hello', 'two']);
    expect(told(state)).toEqual(['two']);
    expect(room).not.toHaveProperty('state');
    const before = await test.syncOnce(bob, since);
    expect(before.rooms?.join?.[roomId]?.state.events).toEqual([]);
    expect(before.rooms?.join?.[roomId]).not.toHaveProperty('state_after');
  });

  it('is there, and empty, when nothing of the state changed', async () => {
    const { test, alice, bob, roomId, since, ask } = await start();
    await test.say(alice, roomId, 'hello');
    const { room, state } = await ask(bob, since);
    expect([told(room?.timeline.events), state]).toEqual([['hello'], []]);
  });

  it('holds all of a gap and of what is behind it', async () => {
    const { test, alice, bob, roomId, since, ask } = await start();
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'in the gap' });
    for (let i = 0; i < 3; i++) await test.say(alice, roomId, `message ${i}`);
    await test.setState(alice, roomId, 'm.room.name', { name: 'behind it' });
    const { room, state } = await ask(bob, since, { filter: { room: { timeline: { limit: 2 } } } });
    expect(told(room?.timeline.events)).toEqual(['message 2', 'behind it']);
    expect(room?.timeline.limited).toBe(true);
    expect(new Set(told(state))).toEqual(new Set(['in the gap', 'behind it']));
  });

  it('is all there is at first, and with the full state', async () => {
    const { test, alice, bob, roomId, since, ask } = await start();
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'topic' });
    const all = keys(await test.state(bob, roomId));
    expect(keys((await ask(bob)).state)).toEqual(all);
    expect(keys((await ask(bob, since, { fullState: true })).state)).toEqual(all);
    const few = await ask(bob, since, { filter: { room: { state: { types: ['m.room.name'] } } } });
    expect(told(few.room?.timeline.events)).toEqual(['topic']);
    expect(few.state).toEqual([]);
  });

  it('holds what a filter leaves out of the timeline', async () => {
    const { test, alice, bob, roomId, since, ask } = await start();
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'topic' });
    await test.say(alice, roomId, 'hello');
    const { room, state } = await ask(bob, since, { filter: { room: { timeline: { types: ['m.room.message'] } } } });
    expect([told(room?.timeline.events), told(state)]).toEqual([['hello'], ['topic']]);
  });

  it('loaded lazily holds whom somebody meets who reads the timeline', async () => {
    const { test, alice, bob, roomId, ask } = await start();
    const [carol, dan, eve] = [await test.user('carol'), await test.user('dan'), await test.user('eve')];
    await test.rooms.joinRoom(eve, { roomId });
    for (let i = 0; i < 10; i++) await test.say(alice, roomId, `filler ${i}`);
    const lazy = { filter: { room: { timeline: { limit: 4 }, state: { lazy_load_members: true } } } };
    await test.rooms.joinRoom(carol, { roomId });
    await test.rooms.inviteUser(carol, { roomId, target: dan.userId });
    await test.say(carol, roomId, 'hello');
    const first = await ask(bob, undefined, lazy);
    const members = (events: readonly ClientEvent[] = []) =>
      events.flatMap((event) => (event.type === 'm.room.member' ? [event.state_key ?? ''] : [])).toSorted(byText);
    expect(members(first.state)).toEqual([alice, bob, carol, dan].map((user) => user.userId));
    await test.say(carol, roomId, 'again');
    const second = await ask(bob, first.since, lazy);
    expect(second.state).toEqual([]);
    await test.say(eve, roomId, 'hello');
    await test.rooms.profileChanged(alice.userId, { displayname: 'Alice' });
    const third = await ask(bob, second.since, lazy);
    expect(members(third.state)).toEqual([alice.userId, eve.userId]);
    expect(third.state?.find((event) => event.state_key === alice.userId)?.content['displayname']).toBe('Alice');
  });

  it('of a room that somebody left ends with their departure', async () => {
    const { test, alice, bob, roomId, since, ask } = await start();
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'before' });
    await test.rooms.leaveRoom(bob, { roomId });
    await test.setState(alice, roomId, 'm.room.topic', { topic: 'after' });
    const left = async (from?: string) =>
      (await ask(bob, from, { filter: { room: { include_leave: true } } })).leave?.[roomId];
    expect(new Set(told((await left(since))?.state_after?.events))).toEqual(new Set(['before', 'leave']));
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    for (const from of [since, undefined]) {
      const room = await left(from);
      expect(told(room?.timeline.events).slice(-2)).toEqual(['leave', 'ban']);
      expect(room).not.toHaveProperty('state');
      const state = room?.state_after?.events;
      expect(told(state)).toContain('before');
      expect(state?.flatMap((event) => (event.state_key === bob.userId ? [event.content['membership']] : []))).toEqual([
        'ban',
      ]);
    }
  });

  it('of a room in which somebody never was is their own membership', async () => {
    const { test, alice, ask, roomId } = await start();
    const carol = await test.user('carol');
    const { since } = await ask(carol);
    await test.rooms.banUser(alice, { roomId, target: carol.userId });
    const { leave } = await ask(carol, since);
    expect(told(leave?.[roomId]?.state_after?.events)).toEqual(['ban']);
  });

  it('has the name of the proposal for those who ask for that one', async () => {
    const { test, bob, roomId } = await start();
    const name = 'org.matrix.msc4222.state_after';
    const room = (await test.syncOnce(bob, undefined, { stateField: name })).rooms?.join?.[roomId as RoomId];
    expect(room).toHaveProperty([name]);
    expect(room).not.toHaveProperty('state');
    expect(room).not.toHaveProperty('state_after');
  });
});

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
