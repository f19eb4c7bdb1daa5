import { createHash } from 'node:crypto';
import { type SigningKey, signingKeyFromSeed, type VerifyKey, verifyKeyOf } from '../../src/matrix/crypto/ed25519.ts';

/** A key that is always the same for the same name. */
export function testSigningKey(name: string, keyId = 'ed25519:1'): SigningKey {
  return signingKeyFromSeed(keyId, createHash('sha256').update(name).digest());
}

/** Finds the verify keys of these signing keys by their ids. */
export function findKeyAmong(...keys: readonly SigningKey[]): (keyId: string) => VerifyKey | undefined {
  const byId = new Map(keys.map((key) => [key.keyId, verifyKeyOf(key)]));
  return (keyId) => byId.get(keyId);
}
