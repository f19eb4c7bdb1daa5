import type { RoomEvent, StateLookup } from '../../../src/matrix/events/room-event.ts';
import type { EventId, RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import { roomIdOfCreateEvent } from '../../../src/matrix/ids/room-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/matrix/json/json-value.ts';

/**
 * An event from the JSON of a test case, whose id is given and not computed, and which may lack what the test is not
 * about. References may be ids or [id, hashes] pairs.
 */
export function eventFromCase(json: JsonObject, eventId: unknown = json['event_id']): RoomEvent {
  const id = String(eventId) as EventId;
  const content = isJsonObject(json['content']) ? json['content'] : {};
  const redacts = json['redacts'] ?? content['redacts'];
  return {
    eventId: id,
    roomId:
      (json['room_id'] as RoomId | undefined) ??
      (json['type'] === 'm.room.create' ? roomIdOfCreateEvent(id) : ('' as RoomId)),
    type: json['type'] as string,
    stateKey: json['state_key'] as string | undefined,
    sender: json['sender'] as UserId,
    content,
    originServerTs: (json['origin_server_ts'] as number | undefined) ?? 0,
    depth: (json['depth'] as number | undefined) ?? 0,
    prevEvents: references(json['prev_events']),
    authEvents: references(json['auth_events']),
    redacts: typeof redacts === 'string' ? (redacts as EventId) : undefined,
    pdu: json,
  };
}

function references(value: JsonValue | undefined): EventId[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry: JsonValue) => String(Array.isArray(entry) ? entry[0] : entry) as EventId);
}

/** The state that consists of the events; a later one replaces an earlier one of its key. */
export function stateOf(events: Iterable<RoomEvent>): StateLookup {
  const byTuple = new Map<string, RoomEvent>();
  for (const event of events) byTuple.set(JSON.stringify([event.type, event.stateKey]), event);
  return (type, stateKey) => byTuple.get(JSON.stringify([type, stateKey]));
}
