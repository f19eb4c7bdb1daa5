import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signingKeyFromSeed, verifyKeyFromBase64 } from '../../../src/matrix/crypto/ed25519.ts';
import { decodeBase64 } from '../../../src/matrix/ids/base64.ts';
import { CanonicalJsonError, legacyCanonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { signingKeyIds, signJson, verifySignedJson } from '../../../src/matrix/json/signed-json.ts';
import { canonicalObject, shuffled } from '../../support/arbitrary-json.ts';
import { findKeyAmong, testSigningKey } from '../../support/keys.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface SignCase {
  readonly origin: string;
  readonly seed: string;
  readonly public_key?: string;
  readonly entity: string;
  readonly key_id: string;
  readonly input: JsonObject;
  readonly signed: JsonObject;
}

interface VerifyCase {
  readonly name: string;
  readonly entity: string;
  readonly key_id: string;
  readonly public_key: string;
  readonly object: JsonObject;
  readonly valid: boolean;
}

describeShared('json-signing/sign.json', () => {
  const { cases } = loadFixture<{ cases: SignCase[] }>('json-signing/sign.json');
  test.each(cases)('$input ($origin)', ({ seed, public_key, entity, key_id, input, signed }) => {
    const key = signingKeyFromSeed(key_id, decodeBase64(seed) ?? Buffer.alloc(0));
    expect(signJson(input, entity, key)).toEqual(signed);
    if (public_key !== undefined) expect(key.publicKey).toBe(public_key);
    expect(verifySignedJson(signed, entity, findKeyAmong(key))).toEqual({ ok: true, keyIds: [key_id] });
  });
});

/** gomatrixserverlib refuses padding; the specification wants it accepted: https://spec.matrix.org/v1.19/appendices/#unpadded-base64 */
const acceptsPadding = 'base64 padding';

describeShared('json-signing/verify.json', () => {
  const { cases } = loadFixture<{ cases: VerifyCase[] }>('json-signing/verify.json');
  const verify = ({ object, entity, key_id, public_key }: VerifyCase): boolean =>
    verifySignedJson(object, entity, (keyId) => (keyId === key_id ? verifyKeyFromBase64(public_key) : undefined)).ok;

  test.each(cases.filter((one) => one.name !== acceptsPadding))('$name', (one) => {
    expect(verify(one)).toBe(one.valid);
  });

  test('padding is accepted, unlike in the one case that is left out', () => {
    const left = cases.filter((one) => one.name === acceptsPadding);
    expect(left.map(verify)).toEqual([true]);
  });
});

describe('signed JSON', () => {
  const key = testSigningKey('one');
  const other = testSigningKey('other', 'ed25519:2');
  const find = findKeyAmong(key, other);

  test('what is signed verifies, with its keys in any order', () => {
    fc.assert(
      fc.property(canonicalObject, fc.integer(), (object, seed) => {
        const signed = signJson(object, 'example.org', key);
        expect(verifySignedJson(signed, 'example.org', find).ok).toBe(true);
        expect(verifySignedJson(shuffled(signed, seed) as JsonObject, 'example.org', find).ok).toBe(true);
        const changed = { ...signed, '\u{1f510}': 1 };
        expect(verifySignedJson(changed, 'example.org', find)).toMatchObject({ ok: false, reason: 'invalid' });
      }),
      { numRuns: 200 },
    );
  });

  test('other signatures and unsigned stay, and are not signed', () => {
    const first = signJson({ a: 1, unsigned: { age: 1 }, signatures: { b: { 'ed25519:x': 'y' } } }, 'example.org', key);
    const both = signJson({ ...first, unsigned: { age: 2 } }, 'example.org', other);
    expect(both['unsigned']).toEqual({ age: 2 });
    expect(both['signatures']).toMatchObject({
      b: { 'ed25519:x': 'y' },
      'example.org': { 'ed25519:1': {}, 'ed25519:2': {} },
    });
    expect(verifySignedJson(both, 'example.org', find)).toEqual({ ok: true, keyIds: ['ed25519:1', 'ed25519:2'] });
    expect(signingKeyIds(both, 'example.org')).toEqual(['ed25519:1', 'ed25519:2']);
  });

  test('signatures that are no object are replaced', () => {
    expect(signJson({ signatures: 'x' }, 'a', key)).toEqual(signJson({}, 'a', key));
    expect(signJson({ signatures: { a: ['x'] } }, 'a', key)).toEqual(signJson({}, 'a', key));
  });

  test('the reason why a signature does not count', () => {
    const signed = signJson({ a: 1 }, 'example.org', key);
    const reasonOf = (object: JsonObject, entity = 'example.org', known = find) =>
      verifySignedJson(object, entity, known);
    expect(reasonOf(signed, 'example.com')).toEqual({ ok: false, reason: 'unsigned' });
    expect(reasonOf({ signatures: { 'example.org': { 'rsa:1': 'x' } } })).toEqual({ ok: false, reason: 'unsigned' });
    expect(reasonOf(signed, 'example.org', () => undefined)).toEqual({ ok: false, reason: 'unknown-key' });
    for (const bad of ['not base64!', 1, null, { a: 1 }]) {
      expect(reasonOf({ signatures: { 'example.org': { 'ed25519:1': bad } } })).toEqual({
        ok: false,
        reason: 'malformed',
        keyId: 'ed25519:1',
      });
    }
    expect(reasonOf({ ...signed, a: 2 })).toEqual({ ok: false, reason: 'invalid', keyId: 'ed25519:1' });
    expect(reasonOf({ ...signed, a: 1.5 })).toEqual({ ok: false, reason: 'not-canonical' });
    expect(() => signJson({ a: 1.5 }, 'example.org', key)).toThrow(CanonicalJsonError);
  });

  test('every signature by a known key must be good, those by unknown keys do not matter', () => {
    const signed = signJson({ a: 1 }, 'example.org', key);
    const signatures = signed['signatures'] as { 'example.org': JsonObject };
    const withSecond = (keyId: string): JsonObject => ({
      ...signed,
      signatures: { 'example.org': { ...signatures['example.org'], [keyId]: signatures['example.org']['ed25519:1'] } },
    });
    expect(verifySignedJson(withSecond('ed25519:2'), 'example.org', find).ok).toBe(false);
    expect(verifySignedJson(withSecond('ed25519:3'), 'example.org', find).ok).toBe(true);
  });

  test('names from prototypes are nobody', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(verifySignedJson({ signatures: {} }, name, find)).toEqual({ ok: false, reason: 'unsigned' });
      expect(verifySignedJson(signJson({ a: 1 }, name, key), name, find).ok).toBe(true);
    }
  });

  test('numbers outside canonical JSON, where they must be expected', () => {
    const object = parseJson('{"a":1.0,"b":9223372036854775807}', { numbers: 'exact' }) as JsonObject;
    const signed = signJson(object, 'example.org', key, legacyCanonicalJson);
    expect(verifySignedJson(signed, 'example.org', find, legacyCanonicalJson).ok).toBe(true);
  });
});
