import { expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';

describeOnBothEngines('forgetting a room', (engine) => {
  const start = async (preset: 'public_chat' | 'private_chat' = 'public_chat') => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, { preset, invite: [bob.userId] });
    return { test, alice, bob, roomId };
  };
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };
  const unknown = { status: 400, errcode: 'M_UNKNOWN' };
  const includeLeave = { filter: { room: { include_leave: true } } };

  it('is possible for who has left or is banned, and for nobody else', async () => {
    const { test, alice, bob, roomId } = await start();
    const forget = () => test.rooms.forgetRoom(bob, roomId);
    await expect(forget()).rejects.toMatchObject(unknown);
    await test.rooms.joinRoom(bob, { roomId });
    await expect(forget()).rejects.toMatchObject(unknown);
    await test.rooms.leaveRoom(bob, { roomId });
    await forget();
    await forget();
    await test.setState(alice, roomId, 'm.room.join_rules', { join_rule: 'knock' });
    await test.rooms.knockRoom(bob, { roomId });
    await expect(forget()).rejects.toMatchObject(unknown);
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    await forget();
    await test.rooms.forgetRoom(bob, '!nowhere:test' as RoomId);
    await test.rooms.forgetRoom(await test.user('carol'), roomId);
  });

  it('takes what was seen there away, and a new membership gives it back', async () => {
    const { test, alice, bob, roomId } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    const eventId: EventId = await test.say(alice, roomId, 'before');
    await test.rooms.leaveRoom(bob, { roomId });
    expect((await test.history(bob, roomId)).chunk.map((event) => event.content['body'])).toContain('before');
    await test.rooms.forgetRoom(bob, roomId);
    await expect(test.history(bob, roomId)).rejects.toMatchObject(forbidden);
    await expect(test.state(bob, roomId)).rejects.toMatchObject(forbidden);
    await expect(test.rooms.members(bob, roomId, {})).rejects.toMatchObject(forbidden);
    await expect(test.rooms.context(bob, roomId, eventId, 1, undefined)).rejects.toMatchObject(forbidden);
    await expect(test.rooms.event(bob, roomId, eventId)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    // A ban, and its end, bring nothing back.
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    await test.rooms.unbanUser(alice, { roomId, target: bob.userId });
    await expect(test.history(bob, roomId)).rejects.toMatchObject(forbidden);
    await test.rooms.joinRoom(bob, { roomId });
    expect((await test.history(bob, roomId)).chunk.map((event) => event.content['body'])).toContain('before');
    await test.rooms.leaveRoom(bob, { roomId });
    expect(await test.state(bob, roomId)).not.toEqual([]);
  });

  it('leaves of a world-readable room what everybody may read', async () => {
    const { test, alice, bob, roomId } = await start();
    await test.rooms.joinRoom(bob, { roomId });
    await test.say(alice, roomId, 'for members');
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'world_readable' });
    await test.say(alice, roomId, 'for everybody');
    await test.rooms.leaveRoom(bob, { roomId });
    const bodies = async () => (await test.history(bob, roomId)).chunk.flatMap((event) => event.content['body'] ?? []);
    expect(await bodies()).toEqual(['for everybody', 'for members']);
    await test.rooms.forgetRoom(bob, roomId);
    expect(await bodies()).toEqual(['for everybody']);
  });

  it.each(['while sync runs', 'over a restart'])('takes the room out of sync %s', async (how) => {
    const { test: before, alice, bob, roomId } = await start();
    await before.rooms.joinRoom(bob, { roomId });
    const { next_batch: joined } = await before.syncOnce(bob);
    await before.say(alice, roomId, 'secret by now');
    await before.rooms.leaveRoom(bob, { roomId });
    const { next_batch: left } = await before.syncOnce(bob, joined);
    await before.rooms.forgetRoom(bob, roomId);
    const test = how === 'over a restart' ? before.restarted() : before;
    expect((await test.syncOnce(bob, undefined, includeLeave)).rooms).toBeUndefined();
    expect((await test.syncOnce(bob, left, { ...includeLeave, fullState: true })).rooms).toBeUndefined();
    // Whoever has not heard of the departure, such as another device, hears of nothing else.
    const told = (await test.syncOnce(bob, joined)).rooms?.leave?.[roomId];
    expect(told?.timeline.events.map((event) => event.content)).toEqual([{ membership: 'leave' }]);
    expect(told?.state.events).toEqual([]);
    // What happens to the membership outside is told only when it matters again.
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    await test.rooms.unbanUser(alice, { roomId, target: bob.userId });
    expect((await test.syncOnce(bob, left)).rooms).toBeUndefined();
    expect((await test.restarted().syncOnce(bob, left)).rooms).toBeUndefined();
  });

  it.each(['an invite', 'a join'])('ends with %s', async (how) => {
    const { test, alice, bob, roomId } = await start();
    await test.rooms.leaveRoom(bob, { roomId });
    await test.rooms.forgetRoom(bob, roomId);
    const { next_batch: since } = await test.syncOnce(bob);
    if (how === 'an invite') await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    else await test.rooms.joinRoom(bob, { roomId });
    const section = how === 'an invite' ? 'invite' : 'join';
    for (const answer of [await test.syncOnce(bob, since), await test.syncOnce(bob)])
      expect(Object.keys(answer.rooms?.[section] ?? {})).toEqual([roomId]);
    await test.rooms.leaveRoom(bob, { roomId });
    expect(Object.keys((await test.syncOnce(bob, undefined, includeLeave)).rooms?.leave ?? {})).toEqual([roomId]);
  });
});
