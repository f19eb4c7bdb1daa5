/**
 * The event format of each room version and the size limits, as far as they can be judged from the event alone.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu (step 1)
 * https://spec.matrix.org/v1.19/client-server-api/#size-limits
 */
import { isBase64EventId, isEventIdWithDomain, isUrlSafeEventId } from '../ids/event-id.ts';
import { fitsIdentifier, fitsIdentifierInCodePoints } from '../ids/identifier-size.ts';
import { createEventIdOfRoom, isRoomIdWithDomain, isRoomIdWithoutDomain } from '../ids/room-id.ts';
import { isUserId } from '../ids/user-id.ts';
import { canonicalJsonOf, CanonicalJsonError } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { isRawNumber } from '../json/raw-number.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

export type FormatResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly errcode: 'M_BAD_JSON' | 'M_TOO_LARGE'; readonly reason: string };

/** The largest event, in bytes of canonical JSON, signatures and `unsigned` included. */
export const eventBytesMax = 65_536;
export const prevEventsMax = 20;
export const authEventsMax = 10;

/** Whether the PDU has the format of the room version, size included. An event that has not is dropped. */
export function checkPduFormat(pdu: JsonObject, rules: RoomVersionRules): FormatResult {
  const shape = checkPduShape(pdu, rules);
  const fault = shape.ok ? createReferenceFault(pdu, rules) : shape;
  if (fault !== undefined) return fault;
  try {
    return checkEventSize(canonicalJsonOf(rules)(pdu));
  } catch (error) {
    if (error instanceof CanonicalJsonError) return bad(error.message);
    throw error;
  }
}

/**
 * The part of `checkPduFormat` that needs no canonical JSON. An event that names the create event where the room id stands for
 * it passes: the authorisation rules refuse it too, and as a rejected event it stays known to what refers to it.
 */
export function checkPduShape(pdu: JsonObject, rules: RoomVersionRules): FormatResult {
  const fault = textFault(pdu, rules) ?? identifierFault(pdu, rules) ?? numberFault(pdu, rules) ?? objectFault(pdu);
  if (fault !== undefined) return fault;
  return (
    referencesFault(pdu, 'prev_events', prevEventsMax, rules) ??
    referencesFault(pdu, 'auth_events', authEventsMax, rules) ?? { ok: true }
  );
}

/** Whether type and state_key are as small as in every event that is made here, whatever others may have made before room version 11. */
export function checkTextBytes({ type, state_key: stateKey }: JsonObject): FormatResult {
  if (typeof type === 'string' && !fitsIdentifier(type)) return tooLarge('type has more than 255 bytes.');
  const isSmall = typeof stateKey !== 'string' || fitsIdentifier(stateKey);
  return isSmall ? { ok: true } : tooLarge('state_key has more than 255 bytes.');
}

/** Whether the canonical JSON of a whole event is small enough. */
export function checkEventSize(json: string): FormatResult {
  const isSmall = json.length <= eventBytesMax && Buffer.byteLength(json) <= eventBytesMax;
  return isSmall ? { ok: true } : tooLarge(`An event has at most ${eventBytesMax} bytes.`);
}

type Fault = Exclude<FormatResult, { ok: true }>;

const depthMaxOfOldVersions = 2n ** 63n - 1n;
const integerText = /^-?[0-9]{1,19}$/;

function bad(reason: string): Fault {
  return { ok: false, errcode: 'M_BAD_JSON', reason };
}

function tooLarge(reason: string): Fault {
  return { ok: false, errcode: 'M_TOO_LARGE', reason };
}

function textFault(pdu: JsonObject, { eventFormat }: RoomVersionRules): Fault | undefined {
  const { type, state_key: stateKey } = pdu;
  if (typeof type !== 'string') return bad('type is not a string.');
  if (stateKey !== undefined && typeof stateKey !== 'string') return bad('state_key is not a string.');
  const fits = eventFormat.strictByteLimits ? fitsIdentifier : fitsIdentifierInCodePoints;
  const unit = eventFormat.strictByteLimits ? 'bytes' : 'characters';
  if (!fits(type)) return tooLarge(`type has more than 255 ${unit}.`);
  if (stateKey !== undefined && !fits(stateKey)) return tooLarge(`state_key has more than 255 ${unit}.`);
  return undefined;
}

function identifierFault(pdu: JsonObject, rules: RoomVersionRules): Fault | undefined {
  return (
    lengthFault(pdu, 'sender') ??
    lengthFault(pdu, 'room_id') ??
    lengthFault(pdu, 'event_id') ??
    (isUserId(pdu['sender']) ? undefined : bad('sender is not a user id.')) ??
    roomIdFault(pdu, rules) ??
    (!rules.eventFormat.eventIdField || isEventIdWithDomain(pdu['event_id'])
      ? undefined
      : bad('event_id is not an event id of this room version.'))
  );
}

function lengthFault(pdu: JsonObject, key: string): Fault | undefined {
  const value = pdu[key];
  return typeof value === 'string' && !fitsIdentifier(value) ? tooLarge(`${key} has more than 255 bytes.`) : undefined;
}

function roomIdFault(pdu: JsonObject, rules: RoomVersionRules): Fault | undefined {
  const roomId = pdu['room_id'];
  // That a create event of version 12 has none is for the authorisation rules to say.
  if (roomId === undefined && rules.eventFormat.createWithoutRoomId && pdu['type'] === 'm.room.create')
    return undefined;
  const isRight = rules.roomIdFormat === 'opaque' ? isRoomIdWithDomain(roomId) : isRoomIdWithoutDomain(roomId);
  return isRight ? undefined : bad('room_id is not a room id of this room version.');
}

function numberFault(pdu: JsonObject, rules: RoomVersionRules): Fault | undefined {
  const depth = integerOf(pdu['depth']);
  // Before canonical JSON was enforced, 2^63−1 was the limit, and rooms exist that have reached it.
  const depthMax = rules.strictCanonicalJson ? BigInt(Number.MAX_SAFE_INTEGER) : depthMaxOfOldVersions;
  if (depth === undefined || depth < 0 || depth > depthMax) return bad('depth is not an integer in range.');
  if (integerOf(pdu['origin_server_ts']) === undefined) return bad('origin_server_ts is not an integer.');
  return undefined;
}

function integerOf(value: JsonValue | undefined): number | bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  return isRawNumber(value) && integerText.test(value.rawJSON) ? BigInt(value.rawJSON) : undefined;
}

function objectFault(pdu: JsonObject): Fault | undefined {
  const { content, hashes, signatures } = pdu;
  if (!isJsonObject(content)) return bad('content is not an object.');
  if (!isJsonObject(signatures)) return bad('signatures is not an object.');
  if (!isJsonObject(hashes) || typeof hashes['sha256'] !== 'string') return bad('hashes has no sha256.');
  return undefined;
}

function referencesFault(pdu: JsonObject, key: string, countMax: number, rules: RoomVersionRules): Fault | undefined {
  const references = pdu[key];
  if (!Array.isArray(references)) return bad(`${key} is not an array.`);
  if (references.length > countMax) return bad(`${key} has more than ${countMax} entries.`);
  const isReference = references.every((reference: JsonValue) => isEventReference(reference, rules));
  return isReference ? undefined : bad(`${key} holds something that refers to no event of this room version.`);
}

function isEventReference(reference: JsonValue, rules: RoomVersionRules): boolean {
  if (rules.referenceFormat === 'id-and-hash') {
    return (
      Array.isArray(reference) &&
      reference.length === 2 &&
      isEventIdWithDomain(reference[0]) &&
      isJsonObject(reference[1])
    );
  }
  return rules.eventIdFormat === 'reference-hash' ? isBase64EventId(reference) : isUrlSafeEventId(reference);
}

/** Since version 12 the room id stands for the create event. https://spec.matrix.org/v1.19/rooms/v12/#event-format */
function createReferenceFault(pdu: JsonObject, rules: RoomVersionRules): Fault | undefined {
  const { room_id: roomId, auth_events: authEvents } = pdu;
  if (rules.roomIdFormat !== 'create-event-id' || !isRoomIdWithoutDomain(roomId)) return undefined;
  const namesCreate = Array.isArray(authEvents) && authEvents.includes(createEventIdOfRoom(roomId));
  return namesCreate ? bad('auth_events names the create event.') : undefined;
}
