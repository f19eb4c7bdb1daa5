import { walk } from 'canonical-json';
import nacl from 'tweetnacl';
import { canonicalJson, compareCodePoints } from '../json/canonical-json.ts';
import type { JsonObject } from '../json/json-value.ts';
import { signableText } from '../json/signed-json.ts';
import { sha256 } from './content-hash.ts';
import { signingKeyFromSeed, verifyKeyFromBase64, verifyKeyOf } from './ed25519.ts';

/**
 * Compares what signatures and event ids rest on with second, independent implementations, on fixed values: Ed25519 of
 * node:crypto with tweetnacl, canonical JSON with canonical-json, SHA-256 with its published vector. To be run at
 * the start: a server that hashes or signs differently from the others destroys its rooms. Throws Error, naming what
 * differs. In a process in which it came out well it does nothing.
 */
export function cryptoSelfTest(): void {
  if (hasPassed) return;
  assertSame('SHA-256', sha256('abc'), 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0');
  assertSame('canonical JSON', canonicalJson(vector), independentJson(vector));
  const seed = Buffer.alloc(32, 'veche');
  const key = signingKeyFromSeed('ed25519:self_test', seed);
  const pair = nacl.sign.keyPair.fromSeed(Uint8Array.from(seed));
  const bytes = Buffer.from(signableText(vector));
  const signature = key.sign(bytes);
  assertSame('the public key of Ed25519', base64(Buffer.from(key.publicKey, 'base64')), base64(pair.publicKey));
  assertSame('the signature of Ed25519', base64(signature), base64(nacl.sign.detached(bytes, pair.secretKey)));
  assertVerification(verifyKeyOf(key).verify(bytes, signature), true);
  assertVerification(nacl.sign.detached.verify(bytes, signature, pair.publicKey), true);
  const changed = Buffer.from(signature);
  changed.writeUInt8(changed.readUInt8(3) ^ 1, 3);
  assertVerification(verifyKeyOf(key).verify(bytes, changed), false);
  const other = verifyKeyFromBase64(sha256('another key'));
  assertVerification(other?.verify(bytes, signature), false);
  hasPassed = true;
}
let hasPassed = false;

/** Keys out of order, one that looks like an integer, two that UTF-16 would order otherwise, escapes, limits. */
const vector: JsonObject = {
  '\u{1f600}': 'beyond the basic plane',
  '\uffee': 'before it by code point',
  b: [9_007_199_254_740_991, -1, true, null, 'é\n"\\\u0001'],
  '9': {},
  '10': { z: [], a: '' },
};

function independentJson(value: JsonObject): string {
  let text = '';
  walk(value, (chunk) => (text += chunk), compareCodePoints);
  return text;
}

function assertVerification(actual: boolean | undefined, expected: boolean): void {
  assertSame('the verification of an Ed25519 signature', String(actual), String(expected));
}

function assertSame(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`The self-test failed: ${what} is wrong.`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
