/**
 * Ed25519 by node:crypto. https://spec.matrix.org/v1.19/appendices/#signing-details
 * Verification is strict: a scalar that is not below the group order is refused, so that nobody can turn a signature into
 * another one, and so are keys and points of small order, with which a signature says nothing.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { decodeBase64, encodeBase64 } from '../ids/base64.ts';
import { parseKeyId } from '../ids/opaque-id.ts';

/** A server's key to sign with. */
export interface SigningKey {
  /** Such as `ed25519:a_abcd`. */
  readonly keyId: string;
  /** The public half, 32 bytes in unpadded Base64. */
  readonly publicKey: string;
  /** The signature, 64 bytes. */
  sign(bytes: Uint8Array): Buffer;
}

/** The public half of a key. Making one costs as much as verifying, so keep it. */
export interface VerifyKey {
  /** 32 bytes in unpadded Base64. */
  readonly publicKey: string;
  /** `signature` may have any length; only 64 bytes can be right. */
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * The key of a seed of 32 bytes. `keyId` is `ed25519:` and a name of letters, digits and underscores.
 * Throws RangeError otherwise.
 */
export function signingKeyFromSeed(keyId: string, seed: Uint8Array): SigningKey {
  if (seed.length !== keyBytes) throw new RangeError(`An Ed25519 seed has 32 bytes, not ${seed.length}.`);
  const parts = parseKeyId(keyId);
  if (parts?.algorithm !== 'ed25519' || !keyName.test(parts.name)) {
    throw new RangeError('A signing key id is ed25519: and a name of letters, digits and underscores.');
  }
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  return { keyId, publicKey: encodeBase64(rawPublicKey(key)), sign: (bytes) => sign(null, bytes, key) };
}

/** The key from its 32 bytes in Base64, either alphabet, padded or not. undefined: not 32 bytes of Base64. */
export function verifyKeyFromBase64(text: string): VerifyKey | undefined {
  const raw = decodeBase64(text);
  if (raw?.length !== keyBytes) return undefined;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' });
  return {
    publicKey: encodeBase64(raw),
    verify: (bytes, signature) => signature.length === signatureBytes && verify(null, bytes, key, signature),
  };
}

/** The key that verifies what `key` signs. */
export function verifyKeyOf(key: SigningKey): VerifyKey {
  const verifyKey = verifyKeyFromBase64(key.publicKey);
  if (verifyKey === undefined) throw new RangeError('The public key of a signing key is 32 bytes of Base64.');
  return verifyKey;
}

const keyBytes = 32;
const signatureBytes = 64;
const keyName = /^[A-Za-z0-9_]+$/;
// RFC 8410: the DER around the raw bytes of a private and a public Ed25519 key.
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

function rawPublicKey(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length);
}
