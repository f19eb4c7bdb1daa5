import { expect, it } from 'vitest';
import type { RoomAlias, RoomId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { CreateRoomRequest } from '../../../src/rooms/create-room-events.ts';
import { UnitFailed } from '../../../src/storage/database.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };

describeOnBothEngines('upgrading a room', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const { rooms } = test;
    const versionOf = (version: string) => rooms.roomVersion(version).version;
    const upgrade = (user: TestUser, roomId: RoomId, version = '12', additionalCreators: string[] = []) =>
      rooms.upgradeRoom(user, { roomId, rules: rooms.roomVersion(version), additionalCreators });
    const create = (user: TestUser, version: string, more: Partial<CreateRoomRequest> = {}) =>
      test.createRoom(user, { roomVersion: versionOf(version), ...more });
    const stateOf = async (
      user: TestUser,
      roomId: RoomId,
      type: string,
      stateKey = '',
    ): Promise<JsonObject | undefined> =>
      (await test.state(user, roomId)).find((event) => event.type === type && event.state_key === stateKey)?.content;
    return { db, test, rooms, alice, bob, carol, upgrade, create, stateOf };
  };

  it('carries what the room is, whom it bans, and what it is called', async () => {
    const { test, rooms, alice, bob, carol, create, upgrade } = await start();
    const roomId = await create(alice, '10', {
      name: 'Name',
      topic: 'Topic',
      preset: 'private_chat',
      creationContent: { type: 'org.example.kind', 'm.federate': false },
      invite: [bob.userId],
    });
    await rooms.banUser(alice, { roomId, target: carol.userId, reason: 'spam' });
    await rooms.banUser(alice, { roomId, target: '@far:example.org' as typeof carol.userId });
    const carried: [string, JsonObject][] = [
      ['m.room.avatar', { url: 'mxc://test/a' }],
      ['m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2', rotation_period_ms: 1 }],
      ['m.room.server_acl', { allow: ['*'], deny: ['evil.example'] }],
      ['m.room.history_visibility', { history_visibility: 'joined' }],
      ['m.room.guest_access', { guest_access: 'forbidden' }],
      [
        'm.room.join_rules',
        { join_rule: 'knock_restricted', allow: [{ type: 'm.room_membership', room_id: '!space:test' }] },
      ],
    ];
    for (const [type, content] of carried) await test.setState(alice, roomId, type, content);
    await test.setState(alice, roomId, 'org.example.private', { a: 1 });
    await test.setState(alice, roomId, 'm.room.pinned_events', { pinned: [] });
    const upgraded = await upgrade(alice, roomId);
    const { chunk } = await test.history(alice, upgraded, { dir: 'f' });
    expect(chunk.map((event) => [event.type, event.state_key, event.content])).toEqual([
      [
        'm.room.create',
        '',
        {
          room_version: '12',
          predecessor: { room_id: roomId },
          type: 'org.example.kind',
          'm.federate': false,
        },
      ],
      ['m.room.member', alice.userId, { membership: 'join', displayname: 'alice' }],
      ['m.room.power_levels', '', expect.objectContaining({ users: {}, invite: 0 }) as JsonObject],
      carried[5] && [carried[5][0], '', carried[5][1]],
      carried[3] && [carried[3][0], '', carried[3][1]],
      carried[4] && [carried[4][0], '', carried[4][1]],
      carried[1] && [carried[1][0], '', carried[1][1]],
      carried[2] && [carried[2][0], '', carried[2][1]],
      ['m.room.name', '', { name: 'Name' }],
      ['m.room.topic', '', { topic: 'Topic', 'm.topic': { 'm.text': [{ body: 'Topic' }] } }],
      ['m.room.avatar', '', { url: 'mxc://test/a' }],
      ['m.room.member', carol.userId, { membership: 'ban', reason: 'spam' }],
      ['m.room.member', '@far:example.org', { membership: 'ban' }],
    ]);
    await expect(rooms.joinRoom(carol, { roomId: upgraded })).rejects.toMatchObject(forbidden);
    // Invites are not carried.
    expect(await rooms.joinedRooms(bob)).toEqual([]);
    expect(Object.keys((await test.syncOnce(bob)).rooms?.invite ?? {})).toEqual([roomId]);
  });

  it('leaves behind a tombstone that everybody is told of, and silence', async () => {
    const { test, rooms, alice, bob, carol, create, upgrade, stateOf } = await start();
    const roomId = await create(alice, '11');
    await rooms.joinRoom(bob, { roomId });
    const last = await test.say(bob, roomId, 'before');
    const { next_batch: since } = await test.syncOnce(bob);
    const waiting = test.syncWaiting(bob, since);
    const upgraded = await upgrade(alice, roomId, '10');
    const tombstone = { body: 'This room has been replaced', replacement_room: upgraded };
    const types = ['m.room.tombstone', 'm.room.power_levels'];
    const told = (await waiting).rooms?.join?.[roomId]?.timeline.events ?? [];
    expect(told[0]).toMatchObject({ type: types[0], content: tombstone });
    const { chunk } = await test.history(bob, roomId, { dir: 'b', limit: 2 });
    expect(chunk.map((event) => event.type)).toEqual(types.toReversed());
    expect(await stateOf(bob, roomId, 'm.room.tombstone')).toEqual(tombstone);
    expect(await stateOf(bob, roomId, 'm.room.power_levels')).toMatchObject({ events_default: 50, invite: 50 });
    await expect(test.say(bob, roomId, 'after')).rejects.toMatchObject(forbidden);
    await expect(rooms.inviteUser(bob, { roomId, target: carol.userId })).rejects.toMatchObject(forbidden);
    await test.say(alice, roomId, 'who has the power may');
    expect(await stateOf(alice, upgraded, 'm.room.create')).toEqual({
      creator: alice.userId,
      room_version: '10',
      predecessor: { room_id: roomId, event_id: last },
    });
    await rooms.joinRoom(bob, { roomId: upgraded });
    await test.say(bob, upgraded, 'here');
  });

  it('moves the local aliases and the place in the directory with the tombstone', async () => {
    const { test, rooms, alice, bob, create, upgrade, stateOf } = await start();
    const alias = (name: string) => `#${name}:test` as RoomAlias;
    const roomId = await create(alice, '11', { visibility: 'public', alias: alias('one') });
    await rooms.joinRoom(bob, { roomId });
    await rooms.setAlias(bob, alias('two'), roomId);
    await rooms.setAlias(alice, alias('three'), roomId);
    const canonical = { alias: alias('one'), alt_aliases: [alias('two'), alias('three')], 'org.example': 1 };
    await test.setState(alice, roomId, 'm.room.canonical_alias', canonical);
    await rooms.deleteAlias({ ...(await test.user('root')), isAdmin: true }, alias('three'));
    const upgraded = await upgrade(alice, roomId);
    for (const name of ['one', 'two']) expect(await rooms.resolveRoom(alias(name))).toBe(upgraded);
    expect(await rooms.localAliases(alice, roomId)).toEqual([]);
    expect(await stateOf(alice, roomId, 'm.room.canonical_alias')).toEqual({
      alt_aliases: [alias('three')],
      'org.example': 1,
    });
    expect(await stateOf(alice, upgraded, 'm.room.canonical_alias')).toEqual({
      alias: alias('one'),
      alt_aliases: [alias('two')],
      'org.example': 1,
    });
    expect((await rooms.publicRooms({})).chunk.map((room) => room.room_id)).toEqual([upgraded]);
    expect(await rooms.directoryVisibility(roomId)).toBe('private');
    await rooms.joinRoom(bob, { roomId: upgraded });
    await rooms.deleteAlias(bob, alias('two'));
    // A private room without aliases stays one.
    const quiet = await upgrade(alice, await create(alice, '11'));
    expect(await rooms.directoryVisibility(quiet)).toBe('private');
    expect(await stateOf(alice, quiet, 'm.room.canonical_alias')).toBeUndefined();
  });

  it('carries the rooms of a space', async () => {
    const { test, alice, create, upgrade } = await start();
    const child = { via: ['test'], order: 'a', suggested: true };
    const space = await create(alice, '11', { creationContent: { type: 'm.space' } });
    const room = await create(alice, '11');
    await test.setState(alice, space, 'm.space.child', child, '!one:test');
    await test.setState(alice, space, 'm.space.child', {}, '!removed:test');
    await test.setState(alice, room, 'm.space.child', child, '!none:test');
    const childrenOf = async (roomId: RoomId) =>
      (await test.state(alice, roomId))
        .filter((event) => event.type === 'm.space.child')
        .map((event) => [event.state_key, event.content]);
    expect(await childrenOf(await upgrade(alice, space))).toEqual([['!one:test', child]]);
    expect(await childrenOf(await upgrade(alice, room))).toEqual([]);
  });

  it('is for who may send the tombstone; for others nothing is made', async () => {
    const { db, test, rooms, alice, bob, carol, create, upgrade } = await start();
    const roomId = await create(alice, '12', { alias: '#here:test' as RoomAlias });
    await rooms.joinRoom(bob, { roomId });
    await test.setState(alice, roomId, 'm.room.power_levels', {
      users: { [bob.userId]: 100 },
      events: { 'm.room.tombstone': 150 },
    });
    const before = db.committedPos();
    for (const user of [bob, carol]) await expect(upgrade(user, roomId)).rejects.toMatchObject(forbidden);
    await expect(upgrade(alice, '!nowhere:test' as RoomId)).rejects.toMatchObject(forbidden);
    await expect(upgrade(alice, roomId, '12', ['nobody'])).rejects.toMatchObject({ errcode: 'M_BAD_JSON' });
    expect(() => rooms.roomVersion('0')).toThrow('not supported');
    expect(db.committedPos()).toBe(before);
    expect(await rooms.joinedRooms(bob)).toEqual([roomId]);
    await rooms.leaveRoom(alice, { roomId });
    await expect(upgrade(alice, roomId)).rejects.toMatchObject(forbidden);
    expect(await rooms.resolveRoom('#here:test' as RoomAlias)).toBe(roomId);
  });

  it('answers the same request with the same room, and another request with another one', async () => {
    const { test, rooms, alice, bob, create, upgrade, stateOf } = await start();
    const roomId = await create(alice, '11', {
      powerLevelContentOverride: { users: { '@alice:test': 100, '@bob:test': 100 } },
    });
    await rooms.joinRoom(bob, { roomId });
    const [first, again] = await Promise.all([upgrade(alice, roomId), upgrade(alice, roomId)]);
    expect(again).toBe(first);
    const restarted = test.restarted();
    const request = { roomId, rules: rooms.roomVersion('12'), additionalCreators: [] };
    expect(await restarted.rooms.upgradeRoom(alice, request)).toBe(first);
    expect(await restarted.rooms.joinedRooms(alice)).toHaveLength(2);
    const other = await restarted.rooms.upgradeRoom(alice, { ...request, additionalCreators: [bob.userId] });
    expect(other).not.toBe(first);
    expect(await restarted.rooms.upgradeRoom(bob, request)).not.toBe(other);
    expect(await stateOf(alice, roomId, 'm.room.tombstone')).not.toMatchObject({ replacement_room: other });
  });

  it('has happened or not, wherever the database fails, and goes on from there', async () => {
    const { db, test, rooms, alice, create, upgrade, stateOf } = await start();
    const here = '#here:test' as RoomAlias;
    const roomId = await create(alice, '11', { visibility: 'public', alias: here });
    let failures = 0;
    for (let others = 0; ; others++) {
      db.failNextWrite(others);
      const outcome = await upgrade(alice, roomId).catch((error: unknown) => error);
      const tombstone = await stateOf(alice, roomId, 'm.room.tombstone');
      const stands = tombstone?.['replacement_room'] ?? roomId;
      expect(await rooms.resolveRoom(here)).toBe(stands);
      expect((await rooms.publicRooms({})).chunk.map((room) => room.room_id)).toEqual([stands]);
      if (!(outcome instanceof Error)) {
        expect(outcome).toBe(stands);
        break;
      }
      expect(outcome).toBeInstanceOf(UnitFailed);
      failures++;
    }
    expect([failures > 3, db.failuresToCome]).toEqual([true, 1]);
    expect(await stateOf(alice, roomId, 'm.room.canonical_alias')).toEqual({});
    expect(await stateOf(alice, roomId, 'm.room.power_levels')).toMatchObject({ events_default: 50 });
    const { chunk } = await test.history(alice, roomId);
    expect(chunk.filter((event) => event.type === 'm.room.tombstone')).toHaveLength(1);
  });

  it.each([
    ['11', { bob: 100 }, 'bob', [], {}],
    ['11', { bob: 100, carol: 100 }, 'bob', [], { carol: 100 }],
    ['12', { bob: 150 }, 'bob', ['carol'], {}],
    ['12', { bob: 150, carol: 50 }, 'bob', ['carol'], {}],
    ['11', { alice: 100, bob: 100 }, 'alice', ['bob'], {}],
    ['11', { alice: 100, bob: 100, carol: 50 }, 'alice', ['bob'], { carol: 50 }],
  ] as const)(
    'names creators in the create event and nowhere else (%s, %o, by %s with %o)',
    async (version, levels, upgraderName, additional, expected) => {
      const { test, rooms, alice, bob, carol, create, upgrade, stateOf } = await start();
      const users = { alice, bob, carol };
      const idsOf = (byName: Readonly<Record<string, number>>): JsonObject =>
        Object.fromEntries(Object.entries(byName).map(([name, level]) => [`@${name}:test`, level]));
      const roomId = await create(alice, version);
      for (const user of [bob, carol]) await rooms.joinRoom(user, { roomId });
      await test.setState(alice, roomId, 'm.room.power_levels', { users: idsOf(levels) });
      const creators = additional.map((name) => users[name].userId);
      const upgrader = users[upgraderName];
      const upgraded = await upgrade(upgrader, roomId, '12', [...creators, upgrader.userId, ...creators]);
      const content = await stateOf(upgrader, upgraded, 'm.room.create');
      expect(content?.['additional_creators']).toEqual(creators.length === 0 ? undefined : creators);
      expect((await stateOf(upgrader, upgraded, 'm.room.power_levels'))?.['users']).toEqual(idsOf(expected));
    },
  );

  it('goes to versions without such creators, and from any version to any other', async () => {
    const { test, rooms, alice, bob, carol, create, upgrade, stateOf } = await start();
    const roomId = await create(alice, '12');
    await rooms.joinRoom(bob, { roomId });
    await test.setState(alice, roomId, 'm.room.power_levels', {
      users: { [bob.userId]: 60, [carol.userId]: 90 },
      events: { 'm.room.tombstone': 60, 'm.room.name': 70 },
    });
    await test.setState(alice, roomId, 'm.room.name', { name: 'Name' });
    await rooms.banUser(alice, { roomId, target: carol.userId });
    // Additional creators are of no effect there, whatever they are.
    const upgraded = await upgrade(bob, roomId, '11', ['nobody']);
    expect(await stateOf(bob, upgraded, 'm.room.create')).not.toHaveProperty('additional_creators');
    expect((await stateOf(bob, upgraded, 'm.room.power_levels'))?.['users']).toEqual({
      [alice.userId]: 100,
      [bob.userId]: 60,
      [carol.userId]: 90,
    });
    expect(await stateOf(bob, upgraded, 'm.room.member', carol.userId)).toEqual({ membership: 'ban' });
    await expect(test.setState(bob, upgraded, 'm.room.name', {})).rejects.toMatchObject(forbidden);
    await test.setState(alice, roomId, 'm.room.join_rules', { join_rule: 'knock_restricted', allow: [] });
    const rules = async (version: string) =>
      (await stateOf(alice, await upgrade(alice, roomId, version), 'm.room.join_rules'))?.['join_rule'];
    expect([await rules('6'), await rules('7'), await rules('9'), await rules('10')]).toEqual([
      'invite',
      'knock',
      'restricted',
      'knock_restricted',
    ]);
    for (const [from, to] of [
      ['1', '12'],
      ['3', '2'],
      ['12', '1'],
    ] as const)
      await test.say(alice, await upgrade(alice, await create(alice, from), to), 'works');
  });

  it('leaves out what the new version cannot write', async () => {
    const { test, alice, create, upgrade, stateOf } = await start();
    const roomId = await create(alice, '5');
    await test.setState(alice, roomId, 'm.room.name', { name: 'Name', 'org.example': 1.5 });
    await test.setState(alice, roomId, 'm.room.encryption', { algorithm: 'x', rotation_period_ms: 2 ** 60 });
    const upgraded = await upgrade(alice, roomId);
    expect(await stateOf(alice, upgraded, 'm.room.name')).toEqual({ name: 'Name' });
    expect(await stateOf(alice, upgraded, 'm.room.encryption')).toEqual({ algorithm: 'x' });
  });
});
