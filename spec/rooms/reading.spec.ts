import { expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms, type TestUser, asSent } from '../support/test-rooms.ts';

interface Context {
  readonly start: string;
  readonly end: string;
  readonly event: ClientEvent;
  readonly events_before: readonly ClientEvent[];
  readonly events_after: readonly ClientEvent[];
  readonly state: readonly ClientEvent[];
}

describeOnBothEngines('reading rooms', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob, eve] = [await test.user('alice'), await test.user('bob'), await test.user('eve')];
    const roomId = await test.createRoom(alice, { name: 'Room' });
    const visibility = (value: string, room = roomId) =>
      test.setState(alice, room, 'm.room.history_visibility', { history_visibility: value });
    const context = async (user: TestUser, eventId: EventId, limit = 10, filter?: object): Promise<Context> =>
      asSent<Context>(
        await test.rooms.context(
          user,
          roomId,
          eventId,
          limit,
          filter === undefined ? undefined : JSON.stringify(filter),
        ),
      );
    return { test, alice, bob, eve, roomId, visibility, context };
  };
  const told = (events: readonly ClientEvent[] = []) =>
    events.map((event) => event.content['body'] ?? event.content['membership'] ?? event.type);
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };
  const missing = { status: 404, errcode: 'M_NOT_FOUND' };

  it('gives the members as of a token of either kind, and by membership', async () => {
    const { test, alice, bob, eve, roomId } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    const { rooms, next_batch: then } = await test.syncOnce(bob);
    await test.rooms.inviteUser(alice, { roomId, target: eve.userId });
    await test.say(alice, roomId, 'one');
    const members = async (filter: Parameters<typeof test.rooms.members>[2], user = bob) =>
      asSent<ClientEvent[]>(await test.rooms.members(user, roomId, filter)).map((event) => event.state_key);
    expect(await members({})).toHaveLength(3);
    expect(await members({ at: then })).toEqual(expect.arrayContaining([alice.userId, bob.userId]));
    expect(await members({ at: then })).toHaveLength(2);
    expect(await members({ at: rooms?.join?.[roomId]?.timeline.prev_batch ?? '' })).toEqual([alice.userId]);
    expect(await members({ at: (await test.history(bob, roomId, { limit: 1 })).end ?? '' })).toHaveLength(3);
    expect(await members({ membership: 'invite' })).toEqual([eve.userId]);
    expect(await members({ notMembership: 'invite' })).toHaveLength(2);
    expect(await members({ membership: 'invite', notMembership: 'leave' })).toHaveLength(3);
    for (const at of ['', 'x', '17', 's', 's-1', 't1.5'])
      await expect(members({ at })).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_PARAM' });
    await expect(members({}, eve)).rejects.toMatchObject(forbidden);
  });

  it('shows members of a time before somebody came only where history is shared', async () => {
    const { test, alice, bob, eve, roomId, visibility } = await start();
    await test.rooms.joinRoom(eve, { roomId });
    await visibility('joined');
    await test.say(alice, roomId, 'not for bob');
    const { next_batch: then } = await test.syncOnce(alice);
    await test.rooms.leaveRoom(eve, { roomId });
    await test.rooms.joinRoom(bob, { roomId });
    const members = asSent<ClientEvent[]>(await test.rooms.members(bob, roomId, { at: then }));
    expect(members.find((event) => event.state_key === eve.userId)?.content['membership']).toBe('leave');
  });

  it('gives joined_members to members alone', async () => {
    const { test, alice, bob, eve, roomId, visibility } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    expect(await test.rooms.joinedMembers(bob, roomId)).toEqual({
      [alice.userId]: { display_name: 'alice', avatar_url: null },
      [bob.userId]: { display_name: 'bob', avatar_url: null },
    });
    await visibility('world_readable');
    await test.rooms.leaveRoom(bob, { roomId });
    for (const user of [bob, eve])
      await expect(test.rooms.joinedMembers(user, roomId)).rejects.toMatchObject(forbidden);
  });

  it('gives who left the state and the events of their time', async () => {
    const { test, alice, bob, roomId } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    const seen = await test.say(alice, roomId, 'seen');
    await test.rooms.leaveRoom(bob, { roomId });
    const unseen = await test.say(alice, roomId, 'unseen');
    await test.setState(alice, roomId, 'm.room.name', { name: 'Without bob' });
    const state = await test.state(bob, roomId);
    expect(state.find((event) => event.type === 'm.room.name')?.content).toEqual({ name: 'Room' });
    expect(state.find((event) => event.state_key === bob.userId)?.content).toEqual({ membership: 'leave' });
    expect(await test.rooms.stateEvent(bob, roomId, 'm.room.name', '', 'content')).toEqual({ name: 'Room' });
    expect(told((await test.history(bob, roomId)).chunk).slice(0, 2)).toEqual(['leave', 'seen']);
    expect((await test.event(bob, roomId, seen)).event_id).toBe(seen);
    await expect(test.event(bob, roomId, unseen)).rejects.toMatchObject(missing);
    await expect(test.rooms.context(bob, roomId, unseen, 5, undefined)).rejects.toMatchObject(missing);
  });

  it('shows strangers what is world-readable, and says of everything else that it is not there', async () => {
    const { test, alice, eve, roomId, visibility, context } = await start();
    const hidden = await test.say(alice, roomId, 'hidden');
    for (const attempt of [
      () => test.state(eve, roomId),
      () => test.rooms.stateEvent(eve, roomId, 'm.room.name', '', 'content'),
      () => test.history(eve, roomId),
    ])
      await expect(attempt()).rejects.toMatchObject(forbidden);
    await expect(test.event(eve, roomId, hidden)).rejects.toMatchObject(missing);
    await visibility('world_readable');
    const open = await test.say(alice, roomId, 'open');
    expect(told((await test.history(eve, roomId)).chunk)).toEqual(['open', 'm.room.history_visibility']);
    expect((await test.event(eve, roomId, open)).unsigned?.['membership']).toBe('leave');
    await expect(test.event(eve, roomId, hidden)).rejects.toMatchObject(missing);
    expect((await test.state(eve, roomId)).map((event) => event.type)).toContain('m.room.name');
    expect((await context(eve, open)).events_before.map((event) => event.type)).toEqual(['m.room.history_visibility']);
    await visibility('shared');
    await expect(test.history(eve, roomId)).rejects.toMatchObject(forbidden);
    await expect(test.event(eve, roomId, open)).rejects.toMatchObject(missing);
  });

  it('judges each event by the visibility and the membership of its time', async () => {
    const { test, alice, bob, roomId, visibility } = await start();
    for (const value of ['shared', 'joined', 'invited', 'world_readable', 'nonsense']) {
      await visibility(value);
      await test.say(alice, roomId, `${value}, outside`);
      if (value === 'invited') {
        await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
        await test.say(alice, roomId, 'invited, invited');
      }
    }
    await visibility('joined');
    await test.rooms.joinRoom(bob, { roomId });
    await test.say(alice, roomId, 'joined, inside');
    const bodies = (await test.history(bob, roomId, { dir: 'f' })).chunk.flatMap(
      (event) => event.content['body'] ?? [],
    );
    expect(bodies).toEqual([
      'shared, outside',
      'invited, invited',
      'world_readable, outside',
      'nonsense, outside',
      'joined, inside',
    ]);
  });

  it('hides what a state was before from those who may not see it', async () => {
    const { test, alice, bob, roomId, visibility } = await start();
    await visibility('joined');
    const first = await test.setState(alice, roomId, 'm.room.topic', { topic: 'before bob' });
    await test.rooms.joinRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    const second = await test.setState(alice, roomId, 'm.room.topic', { topic: 'with bob' });
    const third = await test.setState(alice, roomId, 'm.room.topic', { topic: 'still with bob' });
    for (const events of [
      [await test.event(bob, roomId, second), await test.event(bob, roomId, third)],
      (await test.syncOnce(bob, since)).rooms?.join?.[roomId]?.timeline.events ?? [],
      (await test.syncOnce(bob)).rooms?.join?.[roomId]?.timeline.events.slice(-2) ?? [],
    ]) {
      expect(events[0]?.unsigned).toMatchObject({ replaces_state: first });
      expect(events[0]?.unsigned).not.toHaveProperty('prev_content');
      expect(events[1]?.unsigned).toMatchObject({ replaces_state: second, prev_content: { topic: 'with bob' } });
    }
    expect((await test.event(alice, roomId, second)).unsigned).toMatchObject({ prev_content: { topic: 'before bob' } });
  });

  it('pages to both ends, and ends there', async () => {
    const { test, alice, roomId } = await start();
    for (let i = 0; i < 25; i++) await test.say(alice, roomId, `m${i}`);
    const all = (await test.history(alice, roomId, { dir: 'f', limit: 1000 })).chunk;
    for (const dir of ['b', 'f'] as const) {
      const collected: ClientEvent[] = [];
      let from: string | undefined;
      do {
        const page = await test.history(alice, roomId, { dir, limit: 7, from });
        expect(page.chunk.length).toBeGreaterThan(0);
        collected.push(...page.chunk);
        from = page.end;
      } while (from !== undefined);
      const ids = collected.map((event) => event.event_id);
      expect(dir === 'b' ? ids.toReversed() : ids).toEqual(all.map((event) => event.event_id));
    }
    expect(all.every((event) => event.room_id === roomId && typeof event.unsigned?.['age'] === 'number')).toBe(true);
    const exactly = await test.history(alice, roomId, { limit: all.length });
    expect(exactly.end).toBeUndefined();
    expect((await test.history(alice, roomId, { limit: 0 })).chunk).toEqual([]);
  });

  it('pages through what a filter wants', async () => {
    const { test, alice, bob, roomId } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    for (let i = 0; i < 30; i++) await test.say(i % 10 === 0 ? bob : alice, roomId, `m${i}`);
    const filter = { senders: [bob.userId], types: ['m.room.message'], lazy_load_members: true };
    const page = await test.history(alice, roomId, { limit: 2, filter: JSON.stringify(filter) });
    expect(told(page.chunk)).toEqual(['m20', 'm10']);
    expect(page.state?.map((event) => event.state_key)).toEqual([bob.userId]);
    const rest = await test.history(alice, roomId, { limit: 2, from: page.end, filter: JSON.stringify(filter) });
    expect(told(rest.chunk)).toEqual(['m0']);
    // Only an empty page says that a filter found the last event.
    const nothing = await test.history(alice, roomId, { limit: 2, from: rest.end, filter: JSON.stringify(filter) });
    expect([nothing.chunk, nothing.end]).toEqual([[], undefined]);
    const elsewhere = await test.history(alice, roomId, { filter: JSON.stringify({ not_rooms: [roomId] }) });
    expect(elsewhere.chunk).toEqual([]);
    for (const [text, errcode] of [
      ['{', 'M_NOT_JSON'],
      ['[]', 'M_BAD_JSON'],
      ['{"limit":"many"}', 'M_BAD_JSON'],
      ['{"types":[7]}', 'M_BAD_JSON'],
    ] as const)
      await expect(test.history(alice, roomId, { filter: text })).rejects.toMatchObject({ status: 400, errcode });
  });

  it('gives the surroundings of an event with the state after them', async () => {
    const { test, alice, bob, roomId, context } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    const ids: EventId[] = [];
    for (let i = 0; i < 10; i++) ids.push(await test.say(alice, roomId, `m${i}`));
    await test.setState(alice, roomId, 'm.room.name', { name: 'Later' });
    const middle = ids[5] as EventId;
    const four = await context(bob, middle, 4);
    expect([told(four.events_before), told([four.event]), told(four.events_after)]).toEqual([
      ['m4', 'm3'],
      ['m5'],
      ['m6', 'm7'],
    ]);
    expect(four.state.find((event) => event.type === 'm.room.name')?.content).toEqual({ name: 'Room' });
    expect(told((await test.history(bob, roomId, { from: four.start, limit: 2 })).chunk)).toEqual(['m2', 'm1']);
    expect(told((await test.history(bob, roomId, { from: four.end, dir: 'f', limit: 2 })).chunk)).toEqual(['m8', 'm9']);
    const none = await context(bob, middle, 0);
    expect([none.events_before, none.events_after]).toEqual([[], []]);
    const lazy = await context(bob, middle, 4, { lazy_load_members: true });
    const members = lazy.state.filter((event) => event.type === 'm.room.member');
    expect(members.map((event) => event.state_key)).toEqual([alice.userId]);
    expect(lazy.state.map((event) => event.type)).toContain('m.room.power_levels');
    const names = await context(bob, middle, 4, { types: ['m.room.name'] });
    expect(names.state.map((event) => event.type)).toEqual(['m.room.name']);
    expect(names.events_before.map((event) => event.type)).toEqual(['m.room.name']);
    await expect(context(bob, '$nowhere' as EventId)).rejects.toMatchObject(missing);
  });

  it('finds no event in a room where it is not', async () => {
    const { test, alice, roomId } = await start();
    const eventId = await test.say(alice, roomId, 'here');
    const other = await test.createRoom(alice);
    await expect(test.event(alice, other, eventId)).rejects.toMatchObject(missing);
    await expect(test.event(alice, '!nowhere:test' as RoomId, eventId)).rejects.toMatchObject(missing);
  });
});
