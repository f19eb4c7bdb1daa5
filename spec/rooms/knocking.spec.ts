import { expect, it } from 'vitest';
import type { RoomId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { RoomVersionId } from '../../src/matrix/room-versions/rules.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

describeOnBothEngines('knocking', (engine) => {
  const start = async (roomVersion: RoomVersionId = '12', joinRule = 'knock') => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, {
      preset: 'private_chat',
      name: 'Behind the door',
      roomVersion,
      initialState: [{ type: 'm.room.join_rules', stateKey: '', content: { join_rule: joinRule } }],
    });
    const { next_batch: since } = await test.syncOnce(bob);
    const knocks = async (user: TestUser, from?: string) =>
      (await test.syncOnce(user, from)).rooms?.knock?.[roomId]?.knock_state.events;
    const membership = async (user: TestUser): Promise<JsonObject | undefined> =>
      (await test.state(alice, roomId)).find((event) => event.state_key === user.userId)?.content;
    return { test, alice, bob, roomId, since, knocks, membership };
  };
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };

  it.each<[RoomVersionId, string]>([
    ['7', 'knock'],
    ['10', 'knock_restricted'],
    ['12', 'knock'],
    ['12', 'knock_restricted'],
  ])('shows the knocker what the room is, and the room the knock (version %s, %s)', async (version, joinRule) => {
    const { test, alice, bob, roomId, since, knocks, membership } = await start(version, joinRule);
    const { next_batch: before } = await test.syncOnce(alice);
    await test.rooms.knockRoom(bob, { roomId, reason: 'let me in' });
    const content = { membership: 'knock', displayname: 'bob', reason: 'let me in' };
    expect(await membership(bob)).toEqual(content);
    expect((await test.syncOnce(alice, before)).rooms?.join?.[roomId]?.timeline.events.at(-1)?.content).toEqual(
      content,
    );
    for (const from of [since, undefined]) {
      const shown = await knocks(bob, from);
      expect(shown?.map((event) => [event.type, event.state_key])).toEqual([
        ['m.room.create', ''],
        ['m.room.join_rules', ''],
        ['m.room.name', ''],
        ['m.room.member', bob.userId],
      ]);
      expect(shown?.at(-1)).toEqual({ type: 'm.room.member', state_key: bob.userId, sender: bob.userId, content });
    }
    await expect(test.history(bob, roomId)).rejects.toMatchObject(forbidden);
  });

  it('is possible again, and told again when it says something else', async () => {
    const { test, bob, roomId, since, knocks } = await start();
    await test.rooms.knockRoom(bob, { roomId, reason: 'one' });
    const { next_batch: first } = await test.syncOnce(bob, since);
    await test.rooms.knockRoom(bob, { roomId, reason: 'one' });
    expect(await knocks(bob, first)).toBeUndefined();
    await test.rooms.knockRoom(bob, { roomId, reason: 'two' });
    const members = (await knocks(bob, first))?.filter((event) => event.type === 'm.room.member');
    expect(members?.map((event) => event.content['reason'])).toEqual(['two']);
  });

  it('is taken back by leaving, and may be tried again', async () => {
    const { test, bob, roomId, knocks, membership } = await start();
    await test.rooms.knockRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await test.rooms.leaveRoom(bob, { roomId, reason: 'never mind' });
    expect(await membership(bob)).toEqual({ membership: 'leave', reason: 'never mind' });
    const left = (await test.syncOnce(bob, since)).rooms?.leave?.[roomId];
    expect(left?.timeline.events.map((event) => event.content['membership'])).toEqual(['leave']);
    expect(left?.state.events).toEqual([]);
    expect(await knocks(bob)).toBeUndefined();
    await test.rooms.knockRoom(bob, { roomId });
    expect((await knocks(bob))?.filter((event) => event.type === 'm.room.member')).toHaveLength(1);
  });

  it('is accepted by an invite', async () => {
    const { test, alice, bob, roomId, knocks } = await start();
    await test.rooms.knockRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    expect((await test.syncOnce(bob, since)).rooms).toEqual({
      invite: { [roomId]: { invite_state: { events: expect.any(Array) } } },
    });
    expect(await knocks(bob)).toBeUndefined();
    await expect(test.rooms.knockRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    await test.rooms.joinRoom(bob, { roomId });
    await expect(test.rooms.knockRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
  });

  it.each(['kick', 'leave by state', 'ban'])('is denied by a %s, which the knocker is told', async (how) => {
    const { test, alice, bob, roomId, knocks } = await start();
    await test.rooms.knockRoom(bob, { roomId });
    const { next_batch: since } = await test.syncOnce(bob);
    const target = bob.userId;
    if (how === 'kick') await test.rooms.kickUser(alice, { roomId, target, reason: 'no' });
    else if (how === 'ban') await test.rooms.banUser(alice, { roomId, target, reason: 'no' });
    else await test.setState(alice, roomId, 'm.room.member', { membership: 'leave', reason: 'no' }, target);
    const membership = how === 'ban' ? 'ban' : 'leave';
    const left = (await test.syncOnce(bob, since)).rooms?.leave?.[roomId];
    expect(left?.timeline.events.map((event) => event.content)).toEqual([{ membership, reason: 'no' }]);
    expect(await knocks(bob)).toBeUndefined();
    const again = test.rooms.knockRoom(bob, { roomId });
    if (how === 'ban') await expect(again).rejects.toMatchObject(forbidden);
    else await again;
  });

  it.each<[RoomVersionId, string]>([
    ['6', 'knock'],
    ['9', 'knock_restricted'],
    ['12', 'invite'],
    ['12', 'public'],
    ['12', 'restricted'],
    ['12', 'private'],
  ])('is refused in a room of version %s with the join rule %s', async (version, joinRule) => {
    const { test, bob, roomId, membership } = await start(version, joinRule);
    await expect(test.rooms.knockRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    expect(await membership(bob)).toBeUndefined();
  });

  it('needs a room that is known here', async () => {
    const { test, bob } = await start();
    const unknown = test.rooms.knockRoom(bob, { roomId: '!nowhere:test' as RoomId });
    await expect(unknown).rejects.toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
  });

  it('may not be denied by somebody without the power to kick, and ends with the account', async () => {
    const { test, alice, bob, roomId, membership } = await start();
    const carol = await test.user('carol');
    await test.rooms.inviteUser(alice, { roomId, target: carol.userId });
    await test.rooms.joinRoom(carol, { roomId });
    await test.rooms.knockRoom(bob, { roomId });
    const target = bob.userId;
    await expect(test.rooms.kickUser(carol, { roomId, target })).rejects.toMatchObject(forbidden);
    await test.rooms.leaveAllRooms(bob.userId);
    expect(await membership(bob)).toEqual({ membership: 'leave' });
  });
});
