import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { TestRooms } from '../../support/test-rooms.ts';

describeOnBothEngines('the summary of a room', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const state = (type: string, content: JsonObject) => ({ type, stateKey: '', content });
    return { test, alice, bob, state };
  };
  const notFound = { status: 404, errcode: 'M_NOT_FOUND' };

  it('tells what the room is, and how the visitor stands to it', async () => {
    const { test, alice, bob, state } = await start();
    const roomId = await test.createRoom(alice, {
      name: 'Name',
      topic: 'Topic',
      initialState: [state('m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })],
    });
    const summary = {
      room_id: roomId,
      name: 'Name',
      topic: 'Topic',
      num_joined_members: 1,
      join_rule: 'public',
      world_readable: false,
      guest_can_join: false,
      encryption: 'm.megolm.v1.aes-sha2',
      room_version: '12',
    };
    expect(await test.rooms.roomSummary(undefined, roomId)).toEqual(summary);
    expect(await test.rooms.roomSummary(bob, roomId)).toEqual({ ...summary, membership: 'leave' });
    expect(await test.rooms.roomSummary(alice, roomId)).toEqual({ ...summary, membership: 'join' });
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    await expect(test.rooms.roomSummary(bob, roomId)).rejects.toMatchObject(notFound);
  });

  it('tells nobody of a room that they can neither see nor join', async () => {
    const { test, alice, bob, state } = await start();
    const space = await test.createRoom(alice);
    const roomId = await test.createRoom(alice, { preset: 'private_chat', roomVersion: '11' });
    for (const visitor of [bob, undefined])
      await expect(test.rooms.roomSummary(visitor, roomId)).rejects.toMatchObject(notFound);
    await test.rooms.inviteUser(alice, { roomId, target: bob.userId });
    expect(await test.rooms.roomSummary(bob, roomId)).toMatchObject({ membership: 'invite', room_version: '11' });
    const allow = [{ type: 'm.room_membership', room_id: space }];
    const restricted = await test.createRoom(alice, {
      preset: 'private_chat',
      initialState: [state('m.room.join_rules', { join_rule: 'restricted', allow })],
    });
    await expect(test.rooms.roomSummary(bob, restricted)).rejects.toMatchObject(notFound);
    await test.rooms.joinRoom(bob, { roomId: space });
    expect(await test.rooms.roomSummary(bob, restricted)).toMatchObject({ allowed_room_ids: [space] });
    await expect(test.rooms.roomSummary(undefined, restricted)).rejects.toMatchObject(notFound);
    await test.setState(alice, restricted, 'm.room.history_visibility', { history_visibility: 'world_readable' });
    expect(await test.rooms.roomSummary(undefined, restricted)).toMatchObject({ world_readable: true });
  });
});
