/** https://spec.matrix.org/v1.19/appendices/#signing-json */
import type { SigningKey, VerifyKey } from '../crypto/ed25519.ts';
import { decodeBase64, encodeBase64 } from '../ids/base64.ts';
import { canonicalJson, CanonicalJsonError } from './canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';

/**
 * Why there is no good signature.
 * unsigned: the entity has not signed. unknown-key: only with keys that are not known. malformed: a signature is not
 * Base64 text. invalid: a signature is not by its key over this object. not-canonical: the object has no canonical form.
 */
export type SignatureFault = 'unsigned' | 'unknown-key' | 'malformed' | 'invalid' | 'not-canonical';

export type SignatureResult =
  | { readonly ok: true; readonly keyIds: readonly string[] }
  | { readonly ok: false; readonly reason: SignatureFault; readonly keyId?: string };

/** How the object is written for signing; `canonicalJson` unless numbers outside its rules must be expected. */
export type WriteJson = (value: JsonValue) => string;

/**
 * The object with the entity's signature added; other signatures and `unsigned` stay and are not signed.
 * Throws CanonicalJsonError when the object has no canonical form.
 */
export function signJson(
  object: JsonObject,
  entity: string,
  key: SigningKey,
  writeJson: WriteJson = canonicalJson,
): JsonObject {
  return addSignature(object, entity, key.keyId, signText(signableText(object, writeJson), key));
}

/**
 * Whether the entity has signed the object with a key that `findKey` knows. Every signature by such a key must be good;
 * those by other keys are passed over.
 * https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature
 */
export function verifySignedJson(
  object: JsonObject,
  entity: string,
  findKey: (keyId: string) => VerifyKey | undefined,
  writeJson: WriteJson = canonicalJson,
): SignatureResult {
  try {
    return verifySignedText(signableText(object, writeJson), object['signatures'], entity, findKey);
  } catch (error) {
    if (error instanceof CanonicalJsonError) return { ok: false, reason: 'not-canonical' };
    throw error;
  }
}

/** As `verifySignedJson`, for a text that was made before. `signatures` is the property of the object, whatever it is. */
export function verifySignedText(
  text: string,
  signatures: JsonValue | undefined,
  entity: string,
  findKey: (keyId: string) => VerifyKey | undefined,
): SignatureResult {
  const ofEntity = signaturesOf(signatures, entity);
  if (ofEntity.length === 0) return { ok: false, reason: 'unsigned' };
  const bytes = Buffer.from(text);
  const keyIds: string[] = [];
  for (const [keyId, signature] of ofEntity) {
    const key = findKey(keyId);
    if (key === undefined) continue;
    const raw = typeof signature === 'string' ? decodeBase64(signature) : undefined;
    if (raw === undefined) return { ok: false, reason: 'malformed', keyId };
    if (!key.verify(bytes, raw)) return { ok: false, reason: 'invalid', keyId };
    keyIds.push(keyId);
  }
  return keyIds.length > 0 ? { ok: true, keyIds } : { ok: false, reason: 'unknown-key' };
}

/** The ids of the Ed25519 keys with which the entity has signed, good or not: the keys to fetch before verifying. */
export function signingKeyIds(object: JsonObject, entity: string): string[] {
  return signaturesOf(object['signatures'], entity).map(([keyId]) => keyId);
}

/** What is signed: the object without `signatures` and `unsigned`. */
export function signableText(object: JsonObject, writeJson: WriteJson = canonicalJson): string {
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object;
  return writeJson(signed);
}

/** The signature of the text's UTF-8 bytes, in unpadded Base64. */
export function signText(text: string, key: SigningKey): string {
  return encodeBase64(key.sign(Buffer.from(text)));
}

/** The object with one more signature. */
export function addSignature(
  object: JsonObject,
  entity: string,
  keyId: string,
  signature: string,
): JsonObject & { readonly signatures: JsonObject } {
  const signatures = isJsonObject(object['signatures']) ? object['signatures'] : {};
  const ofEntity = isJsonObject(ownValue(signatures, entity)) ? ownValue(signatures, entity) : {};
  return { ...object, signatures: { ...signatures, [entity]: { ...(ofEntity as JsonObject), [keyId]: signature } } };
}

/** Entries of algorithms other than Ed25519 are left out. */
function signaturesOf(signatures: JsonValue | undefined, entity: string): [string, JsonValue | undefined][] {
  const ofEntity = isJsonObject(signatures) ? ownValue(signatures, entity) : undefined;
  if (!isJsonObject(ofEntity)) return [];
  return Object.entries(ofEntity).filter(([keyId]) => keyId.startsWith('ed25519:'));
}

/** Names come from outside, so `__proto__` and `constructor` must find nothing. */
function ownValue(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
