import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import { joinedCount, memberCounts, membersOf, userRoom } from '../../src/storage/stores/membership-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('memberships', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob, eve] = [await test.user('alice'), await test.user('bob'), await test.user('eve')];
    const roomId = await test.createRoom(alice);
    const { room } = await test.ctx.dags.open(roomId);
    const count = async () => ({
      joined: (await db.one(joinedCount, { room }))?.members,
      invited: (await db.one(memberCounts, { room }))?.invited,
      left: (await db.all(membersOf, { room, membership: 'leave', limit: 100 })).length,
      banned: (await db.all(membersOf, { room, membership: 'ban', limit: 100 })).length,
    });
    const memberContent = async (user: TestUser) =>
      (await test.state(alice, roomId)).find((event) => event.state_key === user.userId)?.content;
    return { db, test, alice, bob, eve, roomId, room, count, memberContent };
  };
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };

  it('are counted, each change once', async () => {
    const { db, test, alice, bob, eve, roomId, room, count } = await start();
    expect(await count()).toEqual({ joined: 1, invited: 0, left: 0, banned: 0 });
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId, reason: 'again' });
    expect(await count()).toEqual({ joined: 1, invited: 1, left: 0, banned: 0 });
    await test.rooms.joinRoom(bob, { roomId });
    await test.rooms.joinRoom(bob, { roomId });
    const before = await db.one(userRoom, { user: bob.userNid, room });
    await test.rooms.profileChanged(bob.userId, { displayname: 'Bob' });
    const after = await db.one(userRoom, { user: bob.userNid, room });
    expect(after).toMatchObject({ membership: 'join', pos: before?.pos, read_ord: before?.read_ord });
    expect(after?.event).not.toBe(before?.event);
    expect(await count()).toEqual({ joined: 2, invited: 0, left: 0, banned: 0 });
    await test.rooms.joinRoom(eve, { roomId });
    await test.rooms.leaveRoom(bob, { roomId });
    await test.rooms.leaveRoom(bob, { roomId });
    await test.rooms.banUser(alice, { roomId, target: eve.userId });
    expect(await count()).toEqual({ joined: 1, invited: 0, left: 1, banned: 1 });
    await test.rooms.unbanUser(alice, { roomId, target: eve.userId });
    expect(await count()).toEqual({ joined: 1, invited: 0, left: 2, banned: 0 });
    expect(await test.rooms.joinedRooms(bob)).toEqual([]);
  });

  it('carry profiles, reasons and nothing else', async () => {
    const { test, alice, bob, roomId, memberContent } = await start();
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId, reason: 'welcome' });
    expect(await memberContent(bob)).toEqual({ membership: 'invite', displayname: 'bob', reason: 'welcome' });
    await test.rooms.joinRoom(bob, { roomId, reason: 'thanks' });
    expect(await memberContent(bob)).toEqual({ membership: 'join', displayname: 'bob', reason: 'thanks' });
    await test.rooms.kickUser(alice, { roomId, target: bob.userId, reason: 'sorry' });
    expect(await memberContent(bob)).toEqual({ membership: 'leave', reason: 'sorry' });
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    expect(await memberContent(bob)).toEqual({ membership: 'ban' });
  });

  it('are refused by the rules, and tell outsiders nothing', async () => {
    const { test, alice, bob, eve, roomId } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    const target = bob.userId;
    for (const attempt of [
      () => test.rooms.kickUser(eve, { roomId, target }),
      () => test.rooms.kickUser(eve, { roomId, target: eve.userId }),
      () => test.rooms.unbanUser(eve, { roomId, target }),
      () => test.rooms.banUser(eve, { roomId, target }),
      () => test.rooms.inviteUser(eve, { roomId, target }),
    ])
      await expect(attempt()).rejects.toMatchObject(forbidden);
    const messages = await Promise.all(
      [target, eve.userId].map((user) =>
        test.rooms.kickUser(eve, { roomId, target: user }).catch((error: unknown) => String(error)),
      ),
    );
    expect(messages[0]).toBe(messages[1]);
    for (const attempt of [
      () => test.rooms.inviteUser(alice, { roomId, target }),
      () => test.rooms.kickUser(alice, { roomId, target: eve.userId }),
      () => test.rooms.kickUser(bob, { roomId, target: alice.userId }),
      () => test.rooms.unbanUser(alice, { roomId, target }),
      () => test.rooms.leaveRoom(eve, { roomId }),
      () => test.rooms.leaveRoom(eve, { roomId: '!nowhere:test' as RoomId }),
    ])
      await expect(attempt()).rejects.toMatchObject(forbidden);
    await test.rooms.banUser(alice, { roomId, target });
    await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    await expect(test.rooms.leaveRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    await expect(test.rooms.inviteUser(alice, { roomId, target })).rejects.toMatchObject(forbidden);
    await expect(test.rooms.joinRoom(bob, { roomId: '!nowhere:test' as RoomId })).rejects.toMatchObject({
      status: 404,
      errcode: 'M_NOT_FOUND',
    });
  });

  it('end in every room when an account ends', async () => {
    const { test, alice, bob, roomId } = await start();
    const [joined, invited, banned] = [roomId, await test.createRoom(alice), await test.createRoom(alice)];
    await test.rooms.joinRoom(bob, { roomId: joined });
    await test.rooms.inviteUser(alice, { roomId: invited, target: bob.userId });
    await test.rooms.banUser(alice, { roomId: banned, target: bob.userId });
    for (let i = 0; i < 2; i++) await test.rooms.leaveAllRooms(bob.userId);
    const membership = async (room: RoomId) =>
      (await test.state(alice, room)).find((event) => event.state_key === bob.userId)?.content['membership'];
    expect([await membership(joined), await membership(invited), await membership(banned)]).toEqual([
      'leave',
      'leave',
      'ban',
    ]);
  });

  it('change state that is so already by no event, and only for members', async () => {
    const { test, alice, bob, roomId } = await start();
    await test.setState(alice, roomId, 'm.room.power_levels', {
      ...(await test.rooms.stateEvent(alice, roomId, 'm.room.power_levels', '', 'content')),
      state_default: 0,
    });
    await test.rooms.joinRoom(bob, { roomId });
    const first = await test.setState(bob, roomId, 'org.example', { a: 1, b: 2 });
    expect(await test.setState(bob, roomId, 'org.example', { b: 2, a: 1 })).toBe(first);
    expect(await test.setState(alice, roomId, 'org.example', { a: 1, b: 2 })).not.toBe(first);
    const second = await test.setState(bob, roomId, 'org.example', { a: 1, b: 2 });
    expect(second).not.toBe(first);
    await test.rooms.leaveRoom(bob, { roomId });
    await expect(test.setState(bob, roomId, 'org.example', { a: 1, b: 2 })).rejects.toMatchObject(forbidden);
  });
});
