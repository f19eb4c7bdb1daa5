import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type JoinedRoom, TestRooms, type TestUser } from '../support/test-rooms.ts';

const lazy = { filter: { room: { state: { lazy_load_members: true } } } };

describeOnBothEngines('lazy loading of members', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const users = [];
    for (const name of ['alice', 'bob', 'carol', 'dan']) users.push(await test.user(name));
    const [alice, bob, carol, dan] = users as [TestUser, TestUser, TestUser, TestUser];
    const roomId = await test.createRoom(alice, { name: 'Room' });
    for (const user of [bob, carol, dan]) await test.rooms.joinRoom(user, { roomId });
    // The timeline of an initial sync holds none of the joins.
    for (let i = 0; i < 10; i++) await test.say(alice, roomId, `filler ${i}`);
    const sync = async (user: TestUser, since?: string, options: object = lazy) => {
      const answer = await test.syncOnce(user, since, options);
      return { since: answer.next_batch, ...answer.rooms?.join?.[roomId] };
    };
    return { test, alice, bob, carol, dan, roomId, sync };
  };
  const members = (room: Partial<JoinedRoom>) =>
    (room.state?.events ?? []).flatMap((event) => (event.type === 'm.room.member' ? (event.state_key ?? []) : []));

  it('gives at first those who sent something and the reader, later whoever is new', async () => {
    const { test, alice, bob, carol, roomId, sync } = await start();
    const first = await sync(bob);
    expect(members(first).toSorted()).toEqual([alice.userId, bob.userId]);
    expect(first.state?.events.map((event) => event.type)).toContain('m.room.name');
    await test.say(alice, roomId, 'one');
    const second = await sync(bob, first.since);
    expect(members(second)).toEqual([]);
    await test.say(carol, roomId, 'two');
    const third = await sync(bob, second.since);
    expect(members(third)).toEqual([carol.userId]);
    expect(members(await sync(bob, undefined, {})).length).toBe(4);
  });

  it('gives all of the state that is no membership, whenever it came', async () => {
    const { test, alice, bob, roomId, sync } = await start();
    for (let user = 0; user < 501; user++)
      await test.rooms.inviteUser(alice, { roomId, target: `@guest${user}:test` as TestUser['userId'] });
    const others = async (options: object): Promise<string[]> => {
      const events = (await sync(bob, undefined, options)).state?.events ?? [];
      return events
        .flatMap(({ type, state_key: key }) => (type === 'm.room.member' ? [] : `${type} ${key}`))
        .toSorted();
    };
    const set = (type: string, stateKey: string) =>
      test.rooms.sendState(alice, { roomId, type, stateKey, content: { some: 'thing' } });
    const fill = async (name: string): Promise<void> => {
      for (let i = 0; i < 10; i++) await test.say(alice, roomId, `${name} ${i}`);
    };
    await set('org.example.one', 'a');
    await fill('one');
    expect(await others(lazy)).toContain('org.example.one a');
    for (const key of ['a', 'b', '']) await set('org.example.two', key);
    await test.rooms.sendState(alice, { roomId, type: 'm.room.name', stateKey: '', content: { name: 'Other' } });
    await fill('two');
    expect(await others(lazy)).toContain('org.example.two b');
    expect(await others(lazy)).toEqual(await others({}));
  });

  it('gives them again to a device that did not get the answer', async () => {
    const { test, bob, carol, roomId, sync } = await start();
    const first = await sync(bob);
    await test.say(carol, roomId, 'two');
    expect(members(await sync(bob, first.since))).toEqual([carol.userId]);
    const again = await sync(bob, first.since);
    expect(members(again)).toEqual([carol.userId]);
    await test.say(carol, roomId, 'three');
    expect(members(await sync(bob, again.since))).toEqual([]);
  });

  it('gives them to a device that got another answer to the same request', async () => {
    const { test, alice, bob, carol, roomId } = await start();
    const filter = { room: { timeline: { limit: 1 }, state: { lazy_load_members: true } } };
    const ask = async (since?: string) => {
      const answer = await test.syncOnce(bob, since, { filter });
      return { since: answer.next_batch, ...answer.rooms?.join?.[roomId] };
    };
    const first = await ask();
    await test.say(carol, roomId, 'in an answer that is lost');
    expect(members(await ask(first.since))).toEqual([carol.userId]);
    await test.say(alice, roomId, 'in the one that arrives');
    const second = await ask(first.since);
    expect(members(second)).toEqual([]);
    await test.say(carol, roomId, 'now carol is needed');
    const third = await ask(second.since);
    expect(members(third)).toEqual([carol.userId]);
    await test.say(carol, roomId, 'and known');
    expect(members(await ask(third.since))).toEqual([]);
  });

  it('gives them each time to those who want that, to other devices, and with the full state', async () => {
    const { test, bob, carol, roomId, sync } = await start();
    const redundant = { filter: { room: { state: { lazy_load_members: true, include_redundant_members: true } } } };
    let { since } = await sync(bob);
    for (const body of ['one', 'two']) {
      await test.say(carol, roomId, body);
      const answer = await sync(bob, since, redundant);
      expect(members(answer)).toEqual([carol.userId]);
      since = answer.since;
    }
    await test.say(carol, roomId, 'three');
    expect(members(await sync({ ...bob, deviceNid: 77 }, since))).toEqual([carol.userId]);
    const full = await sync(bob, since, { ...lazy, fullState: true });
    expect(members(full).toSorted()).toEqual([bob.userId, carol.userId]);
  });

  it('gives who somebody was before a name that changes within the timeline', async () => {
    const { test, carol, bob, roomId, sync } = await start();
    const { since } = await sync(bob);
    await test.say(carol, roomId, 'with the old name');
    await test.rooms.profileChanged(carol.userId, { displayname: 'Caroline' });
    await test.say(carol, roomId, 'with the new name');
    const answer = await sync(bob, since);
    expect(answer.state?.events.map((event) => event.content['displayname'])).toEqual(['carol']);
    expect(answer.timeline?.events.map((event) => event.content['displayname'])).toEqual([
      undefined,
      'Caroline',
      undefined,
    ]);
  });

  it('loses no membership that changed in a gap', async () => {
    const { test, alice, bob, carol, dan, roomId, sync } = await start();
    const { since } = await sync(bob);
    await test.rooms.leaveRoom(dan, { roomId });
    await test.rooms.profileChanged(carol.userId, { displayname: 'Caroline' });
    for (let i = 0; i < 12; i++) await test.say(alice, roomId, `m${i}`);
    const answer = await sync(bob, since);
    expect(answer.timeline?.limited).toBe(true);
    expect(members(answer).toSorted()).toEqual([carol.userId, dan.userId]);
  });

  it.each(['state', 'state_after'] as const)('loses none with the full state either (%s)', async (stateField) => {
    const { test, alice, bob, carol, dan, roomId, sync } = await start();
    const { since } = await sync(bob);
    await test.rooms.leaveRoom(dan, { roomId });
    await test.rooms.profileChanged(carol.userId, { displayname: 'Caroline' });
    for (let i = 0; i < 12; i++) await test.say(alice, roomId, `m${i}`);
    const { rooms } = await test.syncOnce(bob, since, { ...lazy, fullState: true, stateField });
    const { state, state_after: after } = rooms?.join?.[roomId] ?? {};
    const told = members({ state: after ?? state ?? { events: [] } });
    expect(told.toSorted()).toEqual([alice.userId, bob.userId, carol.userId, dan.userId].toSorted());
  });

  it('gives who somebody is where the filter leaves the change out of the timeline', async () => {
    const { test, alice, bob, carol, roomId } = await start();
    await test.say(carol, roomId, 'before I am sent away');
    await test.rooms.kickUser(alice, { roomId, target: carol.userId });
    const timeline = { limit: 1, not_senders: [alice.userId] };
    const filter = { room: { timeline, state: { lazy_load_members: true } } };
    const room = (await test.syncOnce(bob, undefined, { filter })).rooms?.join?.[roomId];
    expect(room?.timeline.events.at(-1)?.content['body']).toBe('before I am sent away');
    const told = room?.state.events.find((event) => event.state_key === carol.userId);
    expect(told?.content['membership']).toBe('leave');
  });

  it('gives the heroes of a room without a name, and the reader when they join', async () => {
    const { test, alice, bob, carol, sync, roomId: named } = await start();
    expect(named).toBeDefined();
    const roomId: RoomId = await test.createRoom(carol, { invite: [alice.userId] });
    await test.rooms.joinRoom(alice, { roomId });
    for (let i = 0; i < 10; i++) await test.say(carol, roomId, `filler ${i}`);
    const { since } = await sync(bob);
    await test.rooms.joinRoom(bob, { roomId });
    for (let i = 0; i < 10; i++) await test.say(carol, roomId, `more ${i}`);
    const { rooms } = await test.syncOnce(bob, since, lazy);
    const room = rooms?.join?.[roomId];
    expect(room?.summary?.['m.heroes']).toEqual(expect.arrayContaining([alice.userId, carol.userId]));
    expect(members(room ?? {}).toSorted()).toEqual([alice.userId, bob.userId, carol.userId]);
  });

  it('is asked for in the filter of the state alone', async () => {
    const { bob, sync } = await start();
    const answer = await sync(bob, undefined, { filter: { room: { timeline: { lazy_load_members: true } } } });
    expect(members(answer)).toHaveLength(4);
  });
});
