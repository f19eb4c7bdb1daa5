/** https://spec.matrix.org/v1.19/client-server-api/#room-event-format */
import type { EventId, RoomId } from '../ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { numericValue } from '../json/raw-number.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { stickyKey } from './sticky.ts';

export interface ClientEventOptions {
  readonly eventId: EventId;
  readonly rules: RoomVersionRules;
  /** Absent: the form of /sync, where the room is told elsewhere. */
  readonly roomId?: RoomId;
  /** What the server itself has to say about the event. What the PDU carries as `unsigned` is never passed on. */
  readonly unsigned?: JsonObject;
}

/**
 * The event as clients get it. A redaction names its target both in `redacts` and in `content.redacts`, whichever its room
 * version has. https://spec.matrix.org/v1.19/rooms/v11/#moving-the-redacts-property-of-mroomredaction-events-to-a-content-property
 */
export function toClientEvent(pdu: JsonObject, { eventId, rules, roomId, unsigned }: ClientEventOptions): JsonObject {
  const event: Record<string, JsonValue | undefined> = {
    content: pdu['content'],
    event_id: eventId,
    origin_server_ts: numericValue(pdu['origin_server_ts']),
    sender: pdu['sender'],
    type: pdu['type'],
  };
  if (pdu['state_key'] !== undefined) event['state_key'] = pdu['state_key'];
  if (pdu[stickyKey] !== undefined) event[stickyKey] = pdu[stickyKey];
  if (roomId !== undefined) event['room_id'] = roomId;
  if (unsigned !== undefined) event['unsigned'] = unsigned;
  if (pdu['type'] === 'm.room.redaction') nameTargetTwice(event, pdu, rules);
  return event;
}

/** For invited, knocking and previewing users. https://spec.matrix.org/v1.19/client-server-api/#stripped-state */
export function toStrippedEvent(pdu: JsonObject): JsonObject {
  return { content: pdu['content'], sender: pdu['sender'], state_key: pdu['state_key'], type: pdu['type'] };
}

/**
 * What may be shown to clients of an entry of `invite_room_state` or `knock_room_state` that another server sent, whether
 * it is a whole PDU or stripped already. undefined: it is no state event.
 */
export function pruneToStrippedEvent(entry: JsonValue): JsonObject | undefined {
  if (!isJsonObject(entry) || !isJsonObject(entry['content'])) return undefined;
  const isState = ['sender', 'state_key', 'type'].every((key) => typeof entry[key] === 'string');
  return isState ? toStrippedEvent(entry) : undefined;
}

/** The PDU as it is sent to other servers: what belongs to our own clients' `unsigned` stays here. */
export function withoutUnsigned(pdu: JsonObject): JsonObject {
  const { unsigned: _unsigned, ...rest } = pdu;
  return rest;
}

function nameTargetTwice(event: Record<string, JsonValue | undefined>, pdu: JsonObject, rules: RoomVersionRules): void {
  const content = isJsonObject(pdu['content']) ? pdu['content'] : {};
  const redacts = rules.eventFormat.redactsIn === 'event' ? pdu['redacts'] : content['redacts'];
  if (redacts === undefined) return;
  event['redacts'] = redacts;
  event['content'] = { ...content, redacts };
}
