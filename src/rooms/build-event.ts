/**
 * A local event: its references, depth, hashes, signature and id.
 * https://spec.matrix.org/v1.19/server-server-api/#pdus
 */
import { type FinishedEvent, finishEvent } from '../matrix/crypto/finish-event.ts';
import type { SigningKey } from '../matrix/crypto/ed25519.ts';
import { stickyKey } from '../matrix/events/sticky.ts';
import type { EventId, RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';

export interface EventDraft {
  readonly type: string;
  /** Absent: not a state event. */
  readonly stateKey?: string;
  readonly sender: UserId;
  readonly content: JsonObject;
  readonly redacts?: EventId;
  /** For how long it is sticky, in milliseconds (MSC4354); undefined: it is not. */
  readonly stickyMs?: number | undefined;
}

export interface EventPlace {
  /** undefined: the create event of a room whose id is made from it. */
  readonly roomId: RoomId | undefined;
  readonly rules: RoomVersionRules;
  readonly prevEvents: readonly Reference[];
  readonly authEvents: readonly Reference[];
  readonly depth: number;
  readonly originServerTs: number;
}
/** `hash`: the reference hash in unpadded base64, for room versions whose references carry it. */
export interface Reference {
  readonly eventId: EventId;
  readonly hash?: string;
}

export interface Signer {
  readonly serverName: ServerName;
  readonly key: SigningKey;
}
export type Signers = readonly [Signer, ...Signer[]];

/** The signers' first is the sender's server. `opaqueId`: random text for room versions whose events carry their own id. */
export function buildEvent(
  draft: EventDraft,
  place: EventPlace,
  [signer, ...others]: Signers,
  opaqueId: () => string,
): BuiltEvent {
  const { rules } = place;
  const pdu: Record<string, JsonValue | undefined> = eventTemplate(draft, place);
  if (rules.eventFormat.eventIdField) {
    pdu['event_id'] = `$${opaqueId()}:${signer.serverName}`;
    pdu['origin'] = signer.serverName;
  }
  return finishEvent(pdu, rules, signer.serverName, signer.key, others);
}
export type BuiltEvent = FinishedEvent;

/** What an event is made of before it is signed, without its id where it carries one. */
export function eventTemplate(draft: EventDraft, place: EventPlace): Record<string, JsonValue | undefined> {
  const { rules } = place;
  const pdu: Record<string, JsonValue | undefined> = {
    auth_events: references(place.authEvents, rules),
    content: contentWithRedacts(draft, rules),
    depth: place.depth,
    origin_server_ts: place.originServerTs,
    prev_events: references(place.prevEvents, rules),
    sender: draft.sender,
    type: draft.type,
  };
  if (place.roomId !== undefined) pdu['room_id'] = place.roomId;
  if (draft.stateKey !== undefined) pdu['state_key'] = draft.stateKey;
  if (draft.redacts !== undefined && rules.eventFormat.redactsIn === 'event') pdu['redacts'] = draft.redacts;
  if (draft.stickyMs !== undefined) pdu[stickyKey] = { duration_ms: draft.stickyMs };
  return pdu;
}

function references(events: readonly Reference[], rules: RoomVersionRules): JsonValue {
  if (rules.referenceFormat === 'id') return events.map((event) => event.eventId);
  return events.map((event) => [event.eventId, { sha256: event.hash ?? missingHash(event.eventId) }]);
}

function missingHash(eventId: EventId): never {
  throw new Error(`the reference hash of ${eventId} is needed in this room version`);
}

function contentWithRedacts(draft: EventDraft, rules: RoomVersionRules): JsonObject {
  return draft.redacts !== undefined && rules.eventFormat.redactsIn === 'content'
    ? { ...draft.content, redacts: draft.redacts }
    : draft.content;
}
