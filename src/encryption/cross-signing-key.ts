/** The form of cross-signing keys. https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
import { type VerifyKey, verifyKeyFromBase64 } from '../matrix/crypto/ed25519.ts';
import { badJson, invalidParam } from '../matrix/errors.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { storedText } from './stored-text.ts';

export type CrossSigningUsage = 'master' | 'self_signing' | 'user_signing';

export interface CrossSigningKey {
  readonly usage: CrossSigningUsage;
  /** `ed25519:` and the key in Base64. */
  readonly keyId: string;
  readonly verifyKey: VerifyKey;
  readonly object: JsonObject;
  /** As it is stored. */
  readonly json: string;
}

/** Throws 400 M_INVALID_PARAM or M_BAD_JSON. */
export function parseCrossSigningKey(object: JsonObject, usage: CrossSigningUsage, userId: string): CrossSigningKey {
  const { user_id: owner, usage: usages, keys, signatures } = object;
  if (typeof owner !== 'string' || !Array.isArray(usages) || !isJsonObject(keys))
    throw badJson(`The ${usage} key must have user_id, usage and keys`);
  if (signatures !== undefined && !areSignatures(signatures))
    throw badJson(`The signatures of the ${usage} key must be by user and key`);
  if (owner !== userId) throw invalidParam(`The ${usage} key is not yours`);
  if (!usages.includes(usage)) throw invalidParam(`The ${usage} key is for another usage`);
  const [[keyId, publicKey] = [], ...others] = Object.entries(keys);
  if (keyId === undefined || typeof publicKey !== 'string' || others.length > 0)
    throw invalidParam(`The ${usage} key must have exactly one public key`);
  const verifyKey = verifyKeyFromBase64(publicKey);
  if (verifyKey === undefined || keyId !== `ed25519:${publicKey}`)
    throw invalidParam(`The ${usage} key must be an Ed25519 key that is named by itself`);
  const json = storedText(object, limits.crossSigningKeyBytesMax, `the ${usage} key`);
  return { usage, keyId, verifyKey, object, json };
}

/** By users, by the ids of keys. */
export function areSignatures(value: unknown): value is Readonly<Record<string, Readonly<Record<string, string>>>> {
  return (
    isJsonObject(value) &&
    Object.values(value).every(
      (ofUser) => isJsonObject(ofUser) && Object.values(ofUser).every((signature) => typeof signature === 'string'),
    )
  );
}
