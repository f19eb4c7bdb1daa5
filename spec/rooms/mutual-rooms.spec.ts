import { expect, it } from 'vitest';
import type { RoomId, UserId } from '../../src/matrix/ids/ids.ts';
import { limits } from '../../src/platform/limits.ts';
import { setMember } from '../../src/storage/stores/membership-store.ts';
import { insertRoom } from '../../src/storage/stores/room-graph-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';

describeOnBothEngines('the rooms that two users share', (engine) => {
  const start = async () => {
    const db = await engine.open();
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    return { db, test, alice, bob };
  };
  const invalid = { status: 400, errcode: 'M_INVALID_PARAM' };

  it('are those in which both are joined now', async () => {
    const { test, alice, bob } = await start();
    const [shared, invited, left] = [
      await test.createRoom(alice),
      await test.createRoom(alice, { preset: 'private_chat', invite: [bob.userId] }),
      await test.createRoom(alice),
    ];
    for (const roomId of [shared, left]) await test.rooms.joinRoom(bob, { roomId });
    await test.rooms.leaveRoom(bob, { roomId: left });
    const found = { joined: [shared], count: 1, next: undefined };
    expect(await test.rooms.mutualRooms(alice, bob.userId, undefined)).toEqual(found);
    expect(await test.rooms.mutualRooms(bob, alice.userId, undefined)).toEqual(found);
    const none = { joined: [], count: 0, next: undefined };
    expect(await test.rooms.mutualRooms(alice, '@nobody:elsewhere' as UserId, undefined)).toEqual(none);
    expect(found.joined).not.toContain(invited);
  });

  it('come page by page, with the count of all', async () => {
    const { db, test, alice, bob } = await start();
    const roomIds = Array.from({ length: limits.mutualRoomsMax + 3 }, (_, i) => `!room${i}` as RoomId);
    await db.write((unit) => {
      for (const roomId of roomIds) {
        const room = db.nextId();
        unit.run(insertRoom, { room, roomId, version: '12', mainLine: 0 });
        for (const user of [alice.userNid, bob.userNid]) unit.run(setMember, { user, room, membership: 'join' });
      }
    }).committed;
    const first = await test.rooms.mutualRooms(alice, bob.userId, undefined);
    expect(first).toMatchObject({ joined: roomIds.slice(0, limits.mutualRoomsMax), count: roomIds.length });
    const second = await test.rooms.mutualRooms(alice, bob.userId, first.next);
    expect(second).toEqual({ joined: roomIds.slice(-3), count: roomIds.length, next: undefined });
  });

  it('refuses oneself, and tokens that are none', async () => {
    const { test, alice, bob } = await start();
    await expect(test.rooms.mutualRooms(alice, alice.userId, undefined)).rejects.toMatchObject(invalid);
    for (const from of ['', 'm', 'mx', '1', 'm-1'])
      await expect(test.rooms.mutualRooms(alice, bob.userId, from), from).rejects.toMatchObject(invalid);
  });
});
