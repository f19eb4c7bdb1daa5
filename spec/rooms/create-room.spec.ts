import { expect, it } from 'vitest';
import type { RoomAlias, RoomId } from '../../src/matrix/ids/ids.ts';
import { UnitFailed } from '../../src/storage/database.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('creating rooms', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    return { test, alice: await test.user('alice'), bob: await test.user('bob'), carol: await test.user('carol') };
  };

  it.each(['11', '12'])(
    'makes as many rooms in one millisecond as are asked for (room version %s)',
    async (version) => {
      const { test, alice } = await start();
      const { version: roomVersion } = test.rooms.roomVersion(version);
      const rooms = await Promise.all(Array.from({ length: 5 }, () => test.createRoom(alice, { roomVersion })));
      rooms.push(await test.createRoom(alice, { roomVersion }));
      expect(new Set(rooms).size).toBe(6);
      for (const [index, roomId] of rooms.entries()) await test.say(alice, roomId, `m${index}`);
      expect((await test.rooms.joinedRooms(alice)).toSorted()).toEqual(rooms.toSorted());
    },
  );

  it('makes another room than in the same millisecond before a restart, of which it knows nothing any more', async () => {
    const { test, alice } = await start();
    const before = await test.createRoom(alice);
    const after = await test.restarted().createRoom(alice);
    expect(after).not.toBe(before);
    expect((await test.restarted().rooms.joinedRooms(alice)).toSorted()).toEqual([before, after].toSorted());
  });

  it('makes a room whole or not at all, wherever the database fails', async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const request = { alias: '#here:test' as RoomAlias, visibility: 'public', invite: [bob.userId] } as const;
    for (let others = 0; ; others++) {
      db.failNextWrite(others);
      const outcome = await test.createRoom(alice, request).catch((error: unknown) => error);
      const there = outcome instanceof UnitFailed ? [] : [outcome];
      expect(await test.rooms.joinedRooms(alice)).toEqual(there);
      expect((await test.rooms.publicRooms({})).chunk.map((room) => room.room_id)).toEqual(there);
      expect(Object.keys((await test.syncOnce(bob)).rooms?.invite ?? {})).toEqual(there);
      if (there.length > 0) break;
    }
    expect(db.failuresToCome).toBe(1);
  });

  it('sends the events in the order of the specification, and invites each one once', async () => {
    const { test, alice, bob } = await start();
    const roomId = await test.createRoom(alice, {
      preset: 'private_chat',
      name: 'Name',
      topic: 'Topic',
      alias: '#here:test' as RoomAlias,
      isDirect: true,
      invite: [bob.userId, bob.userId],
      initialState: [
        { type: 'org.example', stateKey: 'key', content: { a: 1 } },
        { type: 'm.room.name', stateKey: '', content: { name: 'not this' } },
        { type: 'm.room.guest_access', stateKey: '', content: { guest_access: 'forbidden' } },
      ],
    });
    const { chunk: events } = await test.history(alice, roomId, { dir: 'f' });
    expect(events.map((event) => `${event.type}|${event.state_key}`)).toEqual([
      'm.room.create|',
      `m.room.member|${alice.userId}`,
      'm.room.power_levels|',
      'm.room.canonical_alias|',
      'm.room.join_rules|',
      'm.room.history_visibility|',
      'org.example|key',
      'm.room.guest_access|',
      'm.room.name|',
      'm.room.topic|',
      `m.room.member|${bob.userId}`,
    ]);
    expect(events.at(-1)?.content).toEqual({ membership: 'invite', displayname: 'bob', is_direct: true });
    expect(await test.rooms.resolveRoom('#here:test' as RoomAlias)).toBe(roomId);
  });

  it('makes nothing when the alias is taken', async () => {
    const { test, alice, bob } = await start();
    const alias = '#here:test' as RoomAlias;
    // Which of the two is first depends on the order in which a database's connections answer.
    const users = [alice, bob];
    const outcomes = await Promise.allSettled(users.map((user) => test.createRoom(user, { alias })));
    const refused = users[outcomes.findIndex((outcome) => outcome.status === 'rejected')];
    if (refused === undefined) throw new Error('the alias went to both');
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[users.indexOf(refused)]).toMatchObject({ reason: { status: 400, errcode: 'M_ROOM_IN_USE' } });
    expect(await test.rooms.joinedRooms(refused)).toEqual([]);
    expect((await test.syncOnce(refused)).rooms).toBeUndefined();
    await test.createRoom(refused, { alias: '#there:test' as RoomAlias });
  });

  it('says that an event which the request implies is refused', async () => {
    const { test, alice, bob } = await start();
    const attempt = test.createRoom(alice, {
      powerLevelContentOverride: { events_default: 'much' },
      invite: [bob.userId],
    });
    await expect(attempt).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_ROOM_STATE' });
    await expect(test.createRoom(alice, { invite: [alice.userId] })).rejects.toMatchObject({
      status: 400,
      errcode: 'M_INVALID_ROOM_STATE',
    });
  });

  it('makes everybody who is invited to a trusted private chat a creator, or as powerful as one', async () => {
    const { test, alice, bob, carol } = await start();
    const request = { preset: 'trusted_private_chat', invite: [bob.userId] } as const;
    const modern = await test.createRoom(alice, {
      ...request,
      creationContent: { additional_creators: [carol.userId, bob.userId] },
    });
    const content = async (roomId: RoomId, type: string) =>
      (await test.state(alice, roomId)).find((event) => event.type === type)?.content;
    expect(await content(modern, 'm.room.create')).toEqual({
      room_version: '12',
      additional_creators: [carol.userId, bob.userId],
    });
    expect((await content(modern, 'm.room.power_levels'))?.['users']).toEqual({});
    const older = await test.createRoom(alice, { ...request, roomVersion: '11' });
    expect((await content(older, 'm.room.power_levels'))?.['users']).toEqual({
      [alice.userId]: 100,
      [bob.userId]: 100,
    });
    await test.rooms.joinRoom(bob, { roomId: modern });
    await test.rooms.sendState(bob, { roomId: modern, type: 'm.room.tombstone', stateKey: '', content: {} });
  });

  it('loses nothing but the room when the database refuses it', async () => {
    const { test, alice } = await start();
    await expect(test.createRoom(alice, { creationContent: { 'org.example.price': 1.5 } })).rejects.toMatchObject({
      status: 400,
      errcode: 'M_BAD_JSON',
    });
    await expect(test.createRoom(alice, { topic: 'x'.repeat(70_000) })).rejects.toMatchObject({
      status: 413,
      errcode: 'M_TOO_LARGE',
    });
    await test.createRoom(alice);
  });
});
