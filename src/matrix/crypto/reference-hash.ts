import { redact } from '../events/redact.ts';
import type { EventId } from '../ids/ids.ts';
import { canonicalJsonOf } from '../json/canonical-json.ts';
import type { JsonObject } from '../json/json-value.ts';
import { signableText } from '../json/signed-json.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { sha256 } from './content-hash.ts';

/**
 * The reference hash of an event in unpadded Base64. It does not change when the event is redacted or signed. Throws
 * CanonicalJsonError.
 * https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event
 */
export function referenceHash(pdu: JsonObject, rules: RoomVersionRules): string {
  return sha256(signableEventText(pdu, rules));
}

/** The event's id: its field `event_id` in room versions 1 and 2 (TypeError without), its reference hash afterwards. */
export function eventId(pdu: JsonObject, rules: RoomVersionRules): EventId {
  return rules.eventIdFormat === 'opaque' ? ownEventId(pdu) : eventIdOfHash(referenceHash(pdu, rules), rules);
}

/** The same where the text of the redacted event is at hand. */
export function eventIdOfText(pdu: JsonObject, signable: string, rules: RoomVersionRules): EventId {
  return rules.eventIdFormat === 'opaque' ? ownEventId(pdu) : eventIdOfHash(sha256(signable), rules);
}

/** What is signed and what the reference hash covers: the redacted event without signatures. */
export function signableEventText(pdu: JsonObject, rules: RoomVersionRules): string {
  return signableText(redact(pdu, rules), canonicalJsonOf(rules));
}

function eventIdOfHash(hash: string, rules: RoomVersionRules): EventId {
  const spelt = rules.eventIdFormat === 'reference-hash' ? hash : hash.replaceAll('+', '-').replaceAll('/', '_');
  return `$${spelt}` as EventId;
}

function ownEventId(pdu: JsonObject): EventId {
  const id = pdu['event_id'];
  if (typeof id !== 'string') throw new TypeError('A PDU of room versions 1 and 2 has an event_id.');
  return id as EventId;
}
