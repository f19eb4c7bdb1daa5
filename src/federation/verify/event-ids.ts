import { eventId } from '../../matrix/crypto/reference-hash.ts';
import { isEventId } from '../../matrix/ids/event-id.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import { roomIdOfCreateEvent } from '../../matrix/ids/room-id.ts';
import { CanonicalJsonError } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';

/** undefined: it cannot be told. Without the room's version only old rooms' events tell their id. */
export function eventIdOf(pdu: JsonObject, rules: RoomVersionRules | undefined): EventId | undefined {
  const named = pdu['event_id'];
  if (rules === undefined || rules.eventFormat.eventIdField) return isEventId(named) ? named : undefined;
  try {
    return eventId(pdu, rules);
  } catch (error) {
    if (error instanceof CanonicalJsonError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The room that the event says it is of. undefined: none. */
export function roomIdOf(pdu: JsonObject): RoomId | undefined {
  const { room_id: roomId } = pdu;
  if (typeof roomId === 'string') return roomId as RoomId;
  return roomId === undefined ? roomIdOfCreate(pdu) : undefined;
}

/** Since version 12 a create event makes its room's id. */
function roomIdOfCreate(pdu: JsonObject): RoomId | undefined {
  const { type, content } = pdu;
  if (type !== 'm.room.create' || !isJsonObject(content) || typeof content['room_version'] !== 'string')
    return undefined;
  const rules = findRoomVersion(content['room_version']);
  if (rules === undefined || !rules.eventFormat.createWithoutRoomId) return undefined;
  const id = eventIdOf(pdu, rules);
  return id === undefined ? undefined : roomIdOfCreateEvent(id);
}
