import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import { federationJsonDepthMax, parseJson } from '../json/parse-json.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

/**
 * A PDU from the canonical JSON that `finishEvent` or `receivePdu` gave. In room versions without strict numbers these
 * keep their text, or the event would have other hashes than when it was stored. Throws Error when the text is not what
 * was stored.
 */
export function parseStoredPdu(json: string, rules: Pick<RoomVersionRules, 'strictCanonicalJson'>): JsonObject {
  const pdu: unknown = rules.strictCanonicalJson
    ? JSON.parse(json)
    : parseJson(json, { numbers: 'exact', depthMax: federationJsonDepthMax });
  if (!isJsonObject(pdu)) throw new Error('A stored PDU is an object.');
  return pdu;
}
