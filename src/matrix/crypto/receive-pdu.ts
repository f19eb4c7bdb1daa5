/**
 * The checks on a PDU from another server that need nothing but the PDU and keys: format, signatures, hashes.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu (steps 1 to 3)
 */
import { checkEventSize, checkPduShape } from '../events/check-pdu-format.ts';
import { redact } from '../events/redact.ts';
import type { RoomEvent } from '../events/room-event.ts';
import { roomEventFromPdu } from '../events/room-event-from-pdu.ts';
import { canonicalJsonOf, CanonicalJsonError } from '../json/canonical-json.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { namesContentHash, sha256 } from './content-hash.ts';
import { type EventSignatureResult, type FindServerKey, verifyEventSignatures } from './event-signatures.ts';
import { EventTexts } from './event-text.ts';
import { eventIdOfText } from './reference-hash.ts';

export type ReceivedPdu =
  | {
      readonly ok: true;
      readonly event: RoomEvent;
      /** Canonical JSON of `event.pdu`. */
      readonly body: string;
      /** The content hash did not match, so that `event` is the redacted form. */
      readonly wasRedacted: boolean;
    }
  | { readonly ok: false; readonly step: 'format'; readonly reason: string }
  | { readonly ok: false; readonly step: 'signatures'; readonly fault: Exclude<EventSignatureResult, { ok: true }> };

/** The event to go on with, or why it is dropped. `pdu` was parsed with `numbers: 'exact'`. */
export function receivePdu(pdu: JsonObject, rules: RoomVersionRules, findKey: FindServerKey): ReceivedPdu {
  const shape = checkPduShape(pdu, rules);
  if (!shape.ok) return { ok: false, step: 'format', reason: shape.reason };
  try {
    return receiveWellFormed(pdu, rules, findKey);
  } catch (error) {
    if (error instanceof CanonicalJsonError) return { ok: false, step: 'format', reason: error.message };
    throw error;
  }
}

function receiveWellFormed(pdu: JsonObject, rules: RoomVersionRules, findKey: FindServerKey): ReceivedPdu {
  const texts = new EventTexts(pdu, rules);
  const body = texts.whole();
  const size = checkEventSize(body);
  if (!size.ok) return { ok: false, step: 'format', reason: size.reason };
  const signable = texts.signable();
  const signatures = verifyEventSignatures(pdu, rules, findKey, signable);
  if (!signatures.ok) return { ok: false, step: 'signatures', fault: signatures };
  const eventId = eventIdOfText(pdu, signable, rules);
  if (namesContentHash(pdu, sha256(texts.hashed()))) {
    return { ok: true, event: roomEventFromPdu(pdu, rules, eventId), body, wasRedacted: false };
  }
  const redacted = redact(pdu, rules);
  const redactedBody = canonicalJsonOf(rules)(redacted);
  return { ok: true, event: roomEventFromPdu(redacted, rules, eventId), body: redactedBody, wasRedacted: true };
}
