import { eventId as computeEventId } from '../crypto/reference-hash.ts';
import type { EventId, RoomId, UserId } from '../ids/ids.ts';
import { roomIdOfCreateEvent } from '../ids/room-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { numericValue } from '../json/raw-number.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { RoomEvent } from './room-event.ts';

/**
 * The event as the pure functions see it. `pdu` has passed `checkPduFormat`; one that has not may throw TypeError. Without
 * `eventId` the id is computed.
 */
export function roomEventFromPdu(pdu: JsonObject, rules: RoomVersionRules, eventId?: EventId): RoomEvent {
  const id = eventId ?? computeEventId(pdu, rules);
  const type = textOf(pdu, 'type');
  const content = pdu['content'];
  if (!isJsonObject(content)) throw new TypeError('The content of a PDU is an object.');
  const stateKey = pdu['state_key'];
  return {
    eventId: id,
    roomId: roomIdOf(pdu, type, id, rules),
    type,
    stateKey: typeof stateKey === 'string' ? stateKey : undefined,
    sender: textOf(pdu, 'sender') as UserId,
    content,
    originServerTs: numberOf(pdu, 'origin_server_ts'),
    depth: numberOf(pdu, 'depth'),
    prevEvents: referencesOf(pdu, 'prev_events', rules),
    authEvents: referencesOf(pdu, 'auth_events', rules),
    redacts: redactsOf(pdu, type, content, rules),
    pdu,
  };
}

/** The event that an `m.room.redaction` names; undefined for other types and where none is named. */
export function redactsOf(
  pdu: JsonObject,
  type: string,
  content: JsonObject,
  rules: RoomVersionRules,
): EventId | undefined {
  if (type !== 'm.room.redaction') return undefined;
  const redacts = rules.eventFormat.redactsIn === 'event' ? pdu['redacts'] : content['redacts'];
  return typeof redacts === 'string' ? (redacts as EventId) : undefined;
}

/** The create event of room version 12 has no room id: it makes it. */
function roomIdOf(pdu: JsonObject, type: string, eventId: EventId, rules: RoomVersionRules): RoomId {
  if (rules.eventFormat.createWithoutRoomId && type === 'm.room.create') return roomIdOfCreateEvent(eventId);
  return textOf(pdu, 'room_id') as RoomId;
}

function referencesOf(pdu: JsonObject, key: string, rules: RoomVersionRules): readonly EventId[] {
  const references = pdu[key];
  if (!Array.isArray(references)) throw new TypeError(`${key} of a PDU is an array.`);
  if (rules.referenceFormat === 'id') return references as readonly EventId[];
  return references.map((reference: readonly [EventId, JsonValue]) => reference[0]);
}

function textOf(pdu: JsonObject, key: string): string {
  const value = pdu[key];
  if (typeof value !== 'string') throw new TypeError(`${key} of a PDU is a text.`);
  return value;
}

function numberOf(pdu: JsonObject, key: string): number {
  const value = numericValue(pdu[key]);
  if (value === undefined) throw new TypeError(`${key} of a PDU is a number.`);
  return value;
}
