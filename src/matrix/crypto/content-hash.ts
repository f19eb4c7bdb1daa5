import { hash } from 'node:crypto';
import { decodeBase64 } from '../ids/base64.ts';
import { canonicalJsonOf } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

/**
 * The content hash of an event in unpadded Base64. `rules` decides how numbers are written; without them the event must
 * be canonical JSON. Throws CanonicalJsonError.
 * https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event
 */
export function contentHash(
  pdu: JsonObject,
  rules: Pick<RoomVersionRules, 'strictCanonicalJson'> = { strictCanonicalJson: true },
): string {
  const { hashes: _hashes, signatures: _signatures, unsigned: _unsigned, ...hashed } = pdu;
  return sha256(canonicalJsonOf(rules)(hashed));
}

/** Whether the event names this content hash, which is given in unpadded Base64. */
export function namesContentHash(pdu: JsonObject, expected: string): boolean {
  const hashes = pdu['hashes'];
  const named = isJsonObject(hashes) ? hashes['sha256'] : undefined;
  if (typeof named !== 'string') return false;
  // The bytes are compared, for the hash may have been written with padding or in the other alphabet.
  return named === expected || decodeBase64(named)?.equals(Buffer.from(expected, 'base64')) === true;
}

/** SHA-256 of the text's UTF-8 bytes, in unpadded Base64. */
export function sha256(text: string): string {
  // 32 bytes always end in one padding character.
  return hash('sha256', text, 'base64').slice(0, -1);
}
