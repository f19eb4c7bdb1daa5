import { describe, expect, it } from 'vitest';
import { shownRoomState } from '../../../src/federation/membership/shown-room-state.ts';
import { signingKeyFromSeed, verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import { receivePdu } from '../../../src/matrix/crypto/receive-pdu.ts';
import { roomIdOfCreateEvent } from '../../../src/matrix/ids/room-id.ts';
import type { RoomId, ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { findRoomVersion } from '../../../src/matrix/room-versions/table.ts';
import { buildEvent } from '../../../src/rooms/build-event.ts';

const rules = findRoomVersion('12')!;
const serverName = 'far.example' as ServerName;
const sender = `@alice:${serverName}` as UserId;
const key = signingKeyFromSeed('ed25519:k', Buffer.alloc(32, 1));
const stateEvent = (roomId: RoomId | undefined, type: string, content: JsonObject) => {
  const place = { roomId, rules, prevEvents: [], authEvents: [], depth: 1, originServerTs: 1 };
  return buildEvent({ type, stateKey: '', sender, content }, place, [{ serverName, key }], () => 'id').event;
};
const create = stateEvent(undefined, 'm.room.create', { room_version: '12' });
const roomId = roomIdOfCreateEvent(create.eventId);
const shown = (roomState: readonly JsonObject[], of = roomId): Promise<JsonObject[]> =>
  shownRoomState(
    { verifier: { verify: async (pdus) => pdus.map((pdu) => receivePdu(pdu, rules, () => verifyKeyOf(key))) } },
    { roomId: of, rules, roomState },
  );
const stripped = { type: 'm.room.name', state_key: '', sender, content: { name: 'a room' } };

describe('what a server shows of a room of version 12 with an invite', () => {
  it('is taken when it is whole, stripped, or nothing', async () => {
    const name = stateEvent(roomId, 'm.room.name', { name: 'a room' });
    const creation = { type: 'm.room.create', state_key: '', sender, content: { room_version: '12' } };
    expect(await shown([create.pdu, name.pdu])).toEqual([creation, stripped]);
    expect(await shown([{ ...stripped, more: 1 }])).toEqual([stripped]);
    expect(await shown([])).toEqual([]);
  });

  it('is refused when whole events are of another room or not genuine', async () => {
    const missing = { status: 400, errcode: 'M_MISSING_PARAM' };
    const other = stateEvent(undefined, 'm.room.create', { room_version: '12', 'm.federate': true });
    await expect(shown([other.pdu])).rejects.toMatchObject(missing);
    const name = stateEvent(roomId, 'm.room.name', { name: 'a room' });
    await expect(shown([create.pdu, { ...name.pdu, sender: '@eve:far.example' }])).rejects.toMatchObject(missing);
  });
});
