/** https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events */
import { MatrixError } from '../errors.ts';
import { checkEventSize, checkPduShape, checkTextBytes, type FormatResult } from '../events/check-pdu-format.ts';
import type { RoomEvent } from '../events/room-event.ts';
import { roomEventFromPdu } from '../events/room-event-from-pdu.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import { addSignature, signText } from '../json/signed-json.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { sha256 } from './content-hash.ts';
import type { SigningKey } from './ed25519.ts';
import { EventTexts } from './event-text.ts';
import { eventIdOfText, signableEventText } from './reference-hash.ts';

export interface FinishedEvent {
  readonly event: RoomEvent;
  /** Canonical JSON of `event.pdu`, the form that is stored and sent. */
  readonly body: string;
}

export interface EventSigner {
  readonly serverName: string;
  readonly key: SigningKey;
}

/**
 * Gives a new event its content hash, its id and the server's signature, and those of `others` if it needs more. `pdu` has
 * everything else that its room version wants (`event_id` too in versions 1 and 2); hashes that it has are replaced,
 * signatures are added to. Every property is written once only.
 * Throws MatrixError 400 M_BAD_JSON when the event breaks the format of the room version or has no canonical form, 413
 * M_TOO_LARGE when it or a field of it is too large.
 */
export function finishEvent(
  pdu: JsonObject,
  rules: RoomVersionRules,
  serverName: string,
  key: SigningKey,
  others: readonly EventSigner[] = [],
): FinishedEvent {
  const texts = new EventTexts(pdu, rules);
  const hashes = { sha256: sha256(texts.hashed()) };
  const hashed = { ...pdu, hashes, signatures: isJsonObject(pdu['signatures']) ? pdu['signatures'] : {} };
  assertFormat(checkTextBytes(hashed));
  assertFormat(checkPduShape(hashed, rules));
  const hashesText = canonicalJson(hashes);
  const signable = texts.signable(hashesText);
  let finished = addSignature(hashed, serverName, key.keyId, signText(signable, key));
  for (const other of others)
    finished = addSignature(finished, other.serverName, other.key.keyId, signText(signable, other.key));
  const body = texts.whole(hashesText, canonicalJson(finished.signatures));
  assertFormat(checkEventSize(body));
  return { event: roomEventFromPdu(finished, rules, eventIdOfText(finished, signable, rules)), body };
}

/** The event with one more signature, for events that others have made. Throws CanonicalJsonError. */
export function signEvent(pdu: JsonObject, serverName: string, key: SigningKey, rules: RoomVersionRules): JsonObject {
  return addSignature(pdu, serverName, key.keyId, signText(signableEventText(pdu, rules), key));
}

function assertFormat(result: FormatResult): void {
  if (result.ok) return;
  throw new MatrixError(result.errcode === 'M_TOO_LARGE' ? 413 : 400, result.errcode, result.reason);
}
