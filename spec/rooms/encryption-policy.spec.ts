import { expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { CreateRoomRequest } from '../../src/rooms/create-room-events.ts';
import type { EncryptByDefault } from '../../src/rooms/encryption-policy.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

const algorithm = 'm.megolm.v1.aes-sha2';
const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };
const encryption = (content: JsonObject) => ({ type: 'm.room.encryption', stateKey: '', content });

describeOnBothEngines('rooms that are encrypted', (engine) => {
  const start = async (encryptByDefault: EncryptByDefault) => {
    const test = new TestRooms(await engine.open(), testPorts(1), { encryptByDefault });
    const alice = await test.user('alice');
    const contentOf = async (roomId: RoomId, actor: TestUser = alice) =>
      (await test.state(actor, roomId)).find(({ type }) => type === 'm.room.encryption')?.content;
    const made = async (request: Partial<CreateRoomRequest>) => contentOf(await test.createRoom(alice, request));
    return { test, alice, contentOf, made };
  };

  it('are those of the private presets, if nothing else is configured', async () => {
    const { made } = await start('private');
    expect(await made({ preset: 'private_chat' })).toEqual({ algorithm });
    expect(await made({ preset: 'trusted_private_chat' })).toEqual({ algorithm });
    expect(await made({ preset: undefined, visibility: 'private' })).toEqual({ algorithm });
    expect(await made({ preset: undefined, visibility: 'public' })).toBeUndefined();
    expect(await made({ preset: 'public_chat' })).toBeUndefined();
    expect(await made({ preset: 'private_chat', creationContent: { type: 'm.space' } })).toBeUndefined();
    expect(await made({ preset: 'private_chat', encryption: 'asRequested' })).toBeUndefined();
  });

  it('are all, or none, where that is configured', async () => {
    expect(await (await start('all')).made({ preset: 'public_chat' })).toEqual({ algorithm });
    expect(await (await start('off')).made({ preset: 'private_chat' })).toBeUndefined();
  });

  it('are encrypted as their creator wants', async () => {
    const { test, alice, made } = await start('private');
    const own = { algorithm: 'org.example.v2', rotation_period_msgs: 5 };
    for (const preset of ['private_chat', 'public_chat'] as const)
      for (const how of ['byDefault', 'asRequested'] as const)
        expect(await made({ preset, encryption: how, initialState: [encryption(own)] })).toEqual(own);
    for (const content of [{}, { algorithm: '' }, { algorithm: 1 }])
      await expect(test.createRoom(alice, { initialState: [encryption(content)] })).rejects.toMatchObject({
        status: 400,
        errcode: 'M_BAD_JSON',
      });
    expect(await made({ initialState: [{ ...encryption({}), stateKey: 'other' }], preset: 'public_chat' })).toEqual({});
  });

  it('stay so, whatever our users try', async () => {
    const { test, alice, contentOf } = await start('private');
    const roomId = await test.createRoom(alice, { preset: 'private_chat' });
    const tries: readonly JsonObject[] = [
      {},
      { algorithm: 'org.example.none' },
      { algorithm: '' },
      { algorithm: null },
    ];
    for (const content of tries)
      await expect(test.setState(alice, roomId, 'm.room.encryption', content)).rejects.toMatchObject(forbidden);
    const current = (await test.state(alice, roomId)).find(({ type }) => type === 'm.room.encryption');
    const eventId = current?.event_id ?? '';
    const redaction = { roomId, eventId: eventId as EventId, content: {} };
    await expect(test.rooms.redactEvent(alice, redaction)).rejects.toMatchObject(forbidden);
    const sent = { roomId, type: 'm.room.redaction', content: { redacts: eventId } };
    await expect(test.rooms.sendMessage(alice, sent)).rejects.toMatchObject(forbidden);
    expect(await contentOf(roomId)).toEqual({ algorithm });
    // How often keys change, and an earlier word about it, are the members' own business.
    await test.setState(alice, roomId, 'm.room.encryption', { algorithm, rotation_period_msgs: 10 });
    await test.rooms.redactEvent(alice, redaction);
    expect(await contentOf(roomId)).toEqual({ algorithm, rotation_period_msgs: 10 });
    await test.setState(alice, roomId, 'm.room.encryption', {}, 'another key');
    const upgraded = await test.rooms.upgradeRoom(alice, {
      roomId,
      rules: test.rooms.roomVersion('11'),
      additionalCreators: [],
    });
    expect(await contentOf(upgraded)).toEqual({ algorithm, rotation_period_msgs: 10 });
  });

  it('are not meant by what is not encrypted yet', async () => {
    const { test, alice, contentOf } = await start('private');
    const roomId = await test.createRoom(alice, { preset: 'public_chat' });
    await test.setState(alice, roomId, 'm.room.encryption', { rotation_period_msgs: 10 });
    await test.setState(alice, roomId, 'm.room.encryption', { algorithm: 'org.example.first' });
    await expect(test.setState(alice, roomId, 'm.room.encryption', { algorithm })).rejects.toMatchObject(forbidden);
    expect(await contentOf(roomId)).toEqual({ algorithm: 'org.example.first' });
  });
});
