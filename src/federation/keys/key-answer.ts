/** What a server says of its own keys. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
import { verifyKeyFromBase64, type VerifyKey } from '../../matrix/crypto/ed25519.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { parseKeyId } from '../../matrix/ids/opaque-id.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { verifySignedJson } from '../../matrix/json/signed-json.ts';
import { limits } from '../../platform/limits.ts';

export interface ServerKey {
  readonly keyId: string;
  readonly key: VerifyKey;
  /** Milliseconds since the Unix epoch: what was signed with it until then is good. */
  readonly validUntilTs: number;
  /** It signs no requests any more. */
  readonly isOld: boolean;
}
export interface KeyAnswer {
  readonly keys: readonly ServerKey[];
  /** The answer as it was signed. */
  readonly json: JsonObject;
}

/**
 * Checks that the answer is about the server and signed with one of the keys that it names. `fetchedTs`: no key counts for longer than
 * seven days from then. A string says what is wrong. The answer was parsed with `numbers: 'exact'`.
 */
export function readKeyAnswer(json: JsonObject, serverName: ServerName, fetchedTs: number): KeyAnswer | string {
  if (json['server_name'] !== serverName) return 'the keys are those of another server';
  const { valid_until_ts: until } = json;
  if (!isTime(until)) return 'valid_until_ts is no time';
  const validUntilTs = Math.min(until, fetchedTs + limits.serverKeyValidMsMax);
  const current = entriesOf(json['verify_keys']).flatMap(([keyId, entry]) => {
    const key = keyOf(keyId, entry);
    return key === undefined ? [] : [{ keyId, key, validUntilTs, isOld: false }];
  });
  const currentIds = new Set(current.map(({ keyId }) => keyId));
  const old = entriesOf(json['old_verify_keys']).flatMap(([keyId, entry]) => {
    const key = keyOf(keyId, entry);
    const expiredTs = isJsonObject(entry) ? entry['expired_ts'] : undefined;
    if (key === undefined || !isTime(expiredTs) || currentIds.has(keyId)) return [];
    return [{ keyId, key, validUntilTs: Math.min(expiredTs, fetchedTs), isOld: true }];
  });
  const signed = verifySignedJson(
    json,
    serverName,
    (keyId) => current.find((one) => one.keyId === keyId)?.key,
    legacyCanonicalJson,
  );
  if (!signed.ok) return `the keys are not signed by themselves (${signed.reason})`;
  return { keys: [...current, ...old].slice(0, limits.keysPerServerMax), json };
}

function keyOf(keyId: string, entry: JsonValue | undefined): VerifyKey | undefined {
  if (keyId.length > limits.idBytesMax || parseKeyId(keyId)?.algorithm !== 'ed25519') return undefined;
  const text = isJsonObject(entry) ? entry['key'] : undefined;
  return typeof text === 'string' ? verifyKeyFromBase64(text) : undefined;
}

const isTime = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const entriesOf = (value: JsonValue | undefined): readonly (readonly [string, JsonValue | undefined])[] =>
  isJsonObject(value) ? Object.entries(value).slice(0, limits.keysPerServerMax) : [];
