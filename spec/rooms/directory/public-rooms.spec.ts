import { expect, it } from 'vitest';
import type { RoomAlias, RoomId } from '../../../src/matrix/ids/ids.ts';
import type { PublicRoomsQuery } from '../../../src/rooms/directory/public-rooms.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms, type TestUser } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

const refused = (status: number, errcode: string) => ({ status, errcode });
const isPublic = { visibility: 'public' } as const;

describeOnBothEngines('the published room directory', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const { rooms } = test;
    const list = async (query: PublicRoomsQuery = {}) =>
      (await rooms.publicRooms(query)).chunk.map((room) => room.room_id);
    const join = async (roomId: RoomId, ...users: TestUser[]) => {
      for (const user of users) await rooms.joinRoom(user, { roomId });
    };
    return { db, test, rooms, alice, bob, list, join };
  };

  it('has the rooms that were made public, with what they say of themselves now', async () => {
    const { test, rooms, alice, bob, list, join } = await start();
    await test.createRoom(alice, { name: 'hidden' });
    const roomId = await test.createRoom(alice, {
      ...isPublic,
      name: 'Name',
      topic: 'Topic',
      alias: '#here:test' as RoomAlias,
      creationContent: { type: 'm.space' },
    });
    expect(await rooms.publicRooms({})).toEqual({
      chunk: [
        {
          room_id: roomId,
          num_joined_members: 1,
          world_readable: false,
          guest_can_join: false,
          join_rule: 'public',
          name: 'Name',
          topic: 'Topic',
          canonical_alias: '#here:test',
          room_type: 'm.space',
        },
      ],
      total_room_count_estimate: 1,
    });
    await join(roomId, bob);
    await test.setState(alice, roomId, 'm.room.avatar', { url: 'mxc://test/a' });
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' });
    await test.setState(alice, roomId, 'm.room.guest_access', { guest_access: 'can_join' });
    await test.setState(alice, roomId, 'm.room.join_rules', { join_rule: 'knock' });
    const named = await test.setState(alice, roomId, 'm.room.name', { name: 'Other' });
    const changed = {
      name: 'Other',
      avatar_url: 'mxc://test/a',
      num_joined_members: 2,
      world_readable: true,
      guest_can_join: true,
      join_rule: 'knock',
    };
    expect((await rooms.publicRooms({})).chunk).toMatchObject([changed]);
    await rooms.redactEvent(alice, { roomId, eventId: named, content: {} });
    expect((await rooms.publicRooms({})).chunk[0]).not.toHaveProperty('name');
    await rooms.leaveRoom(bob, { roomId });
    await rooms.leaveRoom(alice, { roomId });
    expect(await list()).toEqual([]);
    // What is not told in memory is the same as what a restart reads.
    expect(await test.restarted().rooms.publicRooms({})).toMatchObject({ chunk: [] });
  });

  it('is entered and left by those who may change the canonical alias, and by administrators', async () => {
    const { test, rooms, alice, bob, list, join } = await start();
    const roomId = await test.createRoom(alice);
    await join(roomId, bob);
    const stranger = await test.user('carol');
    expect(await rooms.directoryVisibility(roomId)).toBe('private');
    for (const user of [bob, stranger])
      await expect(rooms.setDirectoryVisibility(user, roomId, 'public')).rejects.toMatchObject(
        refused(403, 'M_FORBIDDEN'),
      );
    const nowhere = '!nowhere:test' as RoomId;
    await expect(rooms.directoryVisibility(nowhere)).rejects.toMatchObject(refused(404, 'M_NOT_FOUND'));
    await expect(rooms.setDirectoryVisibility(alice, nowhere, 'public')).rejects.toMatchObject(
      refused(404, 'M_NOT_FOUND'),
    );
    expect(await list()).toEqual([]);
    for (let again = 0; again < 2; again++) await rooms.setDirectoryVisibility(alice, roomId, 'public');
    expect([await rooms.directoryVisibility(roomId), await list()]).toEqual(['public', [roomId]]);
    for (let again = 0; again < 2; again++)
      await rooms.setDirectoryVisibility({ ...stranger, isAdmin: true }, roomId, 'private');
    expect([await rooms.directoryVisibility(roomId), await list()]).toEqual(['private', []]);
    await test.setState(alice, roomId, 'm.room.power_levels', { users: { [bob.userId]: 50 } });
    await rooms.setDirectoryVisibility(bob, roomId, 'public');
    expect(await test.restarted().rooms.directoryVisibility(roomId)).toBe('public');
  });

  it('does not have a room whose making was refused', async () => {
    const { test, alice, list } = await start();
    await expect(
      test.createRoom(alice, { ...isPublic, powerLevelContentOverride: { events_default: 'much' } }),
    ).rejects.toMatchObject(refused(400, 'M_INVALID_ROOM_STATE'));
    expect(await list()).toEqual([]);
  });

  it('is searched by text and by type of room', async () => {
    const { test, alice, list } = await start();
    const wombles = await test.createRoom(alice, { ...isPublic, name: 'Test', topic: 'Topic Wombles' });
    const space = await test.createRoom(alice, { ...isPublic, name: 'Tests', creationContent: { type: 'm.space' } });
    const found = async (searchTerm?: string, roomTypes?: (string | null)[]) => list({ searchTerm, roomTypes });
    expect(await found('wOMBLES')).toEqual([wombles]);
    expect(await found('test')).toEqual([wombles, space]);
    expect(await found('test', ['m.space'])).toEqual([space]);
    expect(await found(undefined, [null])).toEqual([wombles]);
    expect(await found('', [null, 'm.space', 'other'])).toEqual([wombles, space]);
    expect(await found('test', ['other'])).toEqual([]);
    expect(await found(undefined, [])).toEqual([]);
    expect(await found('nothing like it')).toEqual([]);
  });

  it('is asked of this server and for Matrix rooms, as long as there are no others', async () => {
    const { test, rooms, alice, list } = await start();
    const roomId = await test.createRoom(alice, isPublic);
    expect(await list({ server: 'test', includeAllNetworks: true })).toEqual([roomId]);
    expect(await rooms.publicRooms({ thirdPartyInstanceId: 'irc' })).toEqual({
      chunk: [],
      total_room_count_estimate: 0,
    });
    await expect(rooms.publicRooms({ server: 'example.org' })).rejects.toMatchObject(refused(403, 'M_FORBIDDEN'));
    await expect(rooms.publicRooms({ since: 's1' })).rejects.toMatchObject(refused(400, 'M_INVALID_PARAM'));
    await expect(rooms.publicRooms({ thirdPartyInstanceId: 'irc', includeAllNetworks: true })).rejects.toMatchObject(
      refused(400, 'M_INVALID_PARAM'),
    );
  });

  it('is paged through both ways, the largest rooms first', async () => {
    const { test, rooms, alice, bob, list, join } = await start();
    const made: RoomId[] = [];
    for (let i = 0; i < 5; i++) made.push(await test.createRoom(alice, isPublic));
    await join(made[3]!, bob);
    const order = [made[3], made[0], made[1], made[2], made[4]];
    expect(await list({ limit: 0 })).toEqual(order);
    const first = await rooms.publicRooms({ limit: 2 });
    expect(first).toMatchObject({ total_room_count_estimate: 5 });
    expect(first).not.toHaveProperty('prev_batch');
    const second = await rooms.publicRooms({ limit: 2, since: first.next_batch });
    expect(second.chunk.map((room) => room.room_id)).toEqual([made[1], made[2]]);
    // A room ahead of the page comes, one goes, one grows.
    await test.createRoom(alice, isPublic);
    await rooms.setDirectoryVisibility(alice, made[0]!, 'private');
    await join(made[1]!, bob, await test.user('carol'));
    const third = await rooms.publicRooms({ limit: 2, since: second.next_batch });
    expect(third.chunk.map((room) => room.room_id)[0]).toBe(made[4]);
    expect(third).not.toHaveProperty('next_batch');
    const back = await rooms.publicRooms({ limit: 2, since: third.prev_batch });
    expect(back.chunk.map((room) => room.room_id)).toEqual([made[3], made[2]]);
    const beginning = await rooms.publicRooms({ limit: 2, since: back.prev_batch });
    expect(beginning.chunk.map((room) => room.room_id)).toEqual([made[1]]);
    expect(beginning).not.toHaveProperty('prev_batch');
  });

  it('is read once, and then only what changed is', async () => {
    const { db, test, rooms, alice, bob, join } = await start();
    const made: RoomId[] = [];
    for (let i = 0; i < 30; i++) made.push(await test.createRoom(alice, { ...isPublic, name: `room ${i}` }));
    const again = test.restarted();
    const readsOf = async (query: PublicRoomsQuery = {}): Promise<string[]> => {
      db.reads.length = 0;
      await again.rooms.publicRooms(query);
      return db.reads.filter((name) => !name.startsWith('stateKey.'));
    };
    const oneLook = ['directory.roomIdsOf', 'directory.currentStateOfRooms', 'membership.joinedCounts'];
    expect(await readsOf()).toEqual(['directory.publishedRoomsAfter', ...oneLook]);
    expect(await readsOf({ limit: 5, searchTerm: 'room 2' })).toEqual([]);
    await again.say(alice, made[3]!, 'a message');
    expect(await readsOf()).toEqual([]);
    for (const roomId of made.slice(0, 20)) await again.rooms.joinRoom(bob, { roomId });
    expect(await readsOf()).toEqual(oneLook);
    expect(await readsOf()).toEqual([]);
    await again.setState(alice, made[0]!, 'm.room.topic', { topic: 'x'.repeat(10_000) });
    expect(await readsOf()).toEqual([...oneLook, ...oneLook]);
    // What is too large to be kept is read for the pages that have it, and for no others.
    expect(await readsOf()).toEqual(oneLook);
    expect(await readsOf({ roomTypes: ['m.space'] })).toEqual([]);
    expect((await again.rooms.publicRooms({ limit: 1 })).chunk[0]?.topic).toHaveLength(10_000);
    await join(await again.createRoom(alice), bob);
    expect(await readsOf({ searchTerm: 'room 7' })).toEqual([]);
    expect(rooms).not.toBe(again.rooms);
  });

  it('hears of what changes while it is being read, and forgives a failure', async () => {
    const { db, test, rooms, alice, list } = await start();
    const [stays, goes] = [await test.createRoom(alice, isPublic), await test.createRoom(alice, isPublic)];
    const held = db.holdNext('directory.publishedRoomsAfter');
    const listed = list();
    await held.reached;
    await rooms.setDirectoryVisibility(alice, goes, 'private');
    const comes = await test.createRoom(alice, isPublic);
    held.release();
    expect(await listed).toEqual([stays, comes]);
    await test.setState(alice, stays, 'm.room.name', { name: 'first' });
    const heldStates = db.holdNext('directory.currentStateOfRooms');
    const during = rooms.publicRooms({});
    await heldStates.reached;
    await test.setState(alice, stays, 'm.room.name', { name: 'second' });
    const after = rooms.publicRooms({});
    heldStates.release();
    await during;
    expect((await after).chunk[0]?.name).toBe('second');
  });
});
