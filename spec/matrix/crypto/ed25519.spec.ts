import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { signingKeyFromSeed, verifyKeyFromBase64, verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import { cryptoSelfTest } from '../../../src/matrix/crypto/self-test.ts';
import { encodeBase64 } from '../../../src/matrix/ids/base64.ts';

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
/** The order of the group, 2^252 + 27742317777372353535851937790883648493. */
const groupOrder = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
const fieldPrime = 2n ** 255n - 19n;

describe('Ed25519, against tweetnacl', () => {
  test('the same keys, the same signatures, each verifies the other', () => {
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 300 }), (seed, bytes) => {
        const key = signingKeyFromSeed('ed25519:1', seed);
        const pair = nacl.sign.keyPair.fromSeed(seed);
        expect(key.publicKey).toBe(encodeBase64(pair.publicKey));
        const signature = key.sign(bytes);
        expect(encodeBase64(signature)).toBe(encodeBase64(nacl.sign.detached(bytes, pair.secretKey)));
        expect(verifyKeyOf(key).verify(bytes, signature)).toBe(true);
        expect(nacl.sign.detached.verify(bytes, Uint8Array.from(signature), pair.publicKey)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('one changed bit anywhere and both refuse', () => {
    const seed = Uint8Array.from(Buffer.alloc(32, 5));
    const key = signingKeyFromSeed('ed25519:1', seed);
    const pair = nacl.sign.keyPair.fromSeed(seed);
    const bytes = Buffer.from('some bytes');
    const signature = key.sign(bytes);
    fc.assert(
      fc.property(fc.nat(64 * 8 - 1), (bit) => {
        const changed = Uint8Array.from(signature);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(verifyKeyOf(key).verify(bytes, changed)).toBe(false);
        expect(nacl.sign.detached.verify(bytes, changed, pair.publicKey)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test.each([0, 1, 63, 65, 128])('a signature of %d bytes is none', (length) => {
    const key = signingKeyFromSeed('ed25519:1', Buffer.alloc(32, 5));
    expect(verifyKeyOf(key).verify(Buffer.from('x'), Buffer.alloc(length))).toBe(false);
  });
});

describe('signatures and keys that are not canonical', () => {
  const pair = nacl.sign.keyPair.fromSeed(Uint8Array.from(Buffer.alloc(32, 9)));
  const bytes = Buffer.from('some bytes');
  const signature = Buffer.from(nacl.sign.detached(bytes, pair.secretKey));

  test('S + L: refused here, accepted by tweetnacl, which does not look', () => {
    const scalar = fromLittleEndian(signature.subarray(32)) + groupOrder;
    const malleated = Buffer.concat([signature.subarray(0, 32), toLittleEndian(scalar)]);
    expect(verify(encodeBase64(pair.publicKey), malleated)).toBe(false);
    expect(nacl.sign.detached.verify(bytes, Uint8Array.from(malleated), pair.publicKey)).toBe(true);
  });

  test('S with high bits set: refused here, and by tweetnacl since another scalar results', () => {
    const high = Buffer.from(signature);
    high.writeUInt8(high.readUInt8(63) | 0xe0, 63);
    expect(verify(encodeBase64(pair.publicKey), high)).toBe(false);
    expect(nacl.sign.detached.verify(bytes, Uint8Array.from(high), pair.publicKey)).toBe(false);
  });

  const neutral = toLittleEndian(1n);
  const unreducedNeutral = toLittleEndian(fieldPrime + 1n);

  test.each([
    ['the neutral element', neutral],
    ['the neutral element, y not reduced', unreducedNeutral],
    ['the point of order 2', toLittleEndian(fieldPrime - 1n)],
    ['a point of order 4', toLittleEndian(0n)],
    ['a point of order 4, y not reduced', toLittleEndian(fieldPrime)],
    ['a point of order 8', Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex')],
  ])('a key of small order, %s: refused here, while tweetnacl verifies nearly anything with it', (_name, key) => {
    // R the neutral element, S = 0: good for every message whose hash is a multiple of the key's order.
    const forged = Buffer.concat([neutral, Buffer.alloc(32)]);
    const messages = Array.from({ length: 24 }, (_value, index) => Buffer.from(`message ${index}`));
    const accepted = messages.filter((message) =>
      nacl.sign.detached.verify(message, Uint8Array.from(forged), Uint8Array.from(key)),
    );
    expect(accepted.length).toBeGreaterThan(0);
    const verifyKey = verifyKeyFromBase64(encodeBase64(key));
    for (const message of messages) expect(verifyKey?.verify(message, forged)).toBe(false);
  });

  test('an R of small order, which only the owner of the key can make: refused here, accepted by tweetnacl', () => {
    const made = signWithR(neutral);
    expect(verify(encodeBase64(pair.publicKey), made)).toBe(false);
    expect(nacl.sign.detached.verify(bytes, Uint8Array.from(made), pair.publicKey)).toBe(true);
  });

  test('an R whose y is not reduced: both refuse, tweetnacl because it compares the bytes', () => {
    const made = signWithR(unreducedNeutral);
    expect(verify(encodeBase64(pair.publicKey), made)).toBe(false);
    expect(nacl.sign.detached.verify(bytes, Uint8Array.from(made), pair.publicKey)).toBe(false);
  });

  test('a key that is no point: both refuse', () => {
    const noPoint = toLittleEndian(2n);
    expect(verify(encodeBase64(noPoint), signature)).toBe(false);
    expect(nacl.sign.detached.verify(bytes, Uint8Array.from(signature), Uint8Array.from(noPoint))).toBe(false);
  });

  /** What the owner of the key signs when they take the neutral element, in this spelling, for R. */
  function signWithR(spelling: Buffer): Buffer {
    const digest = createHash('sha512').update(Buffer.alloc(32, 9)).digest().subarray(0, 32);
    digest.writeUInt8(digest.readUInt8(0) & 0xf8, 0);
    digest.writeUInt8((digest.readUInt8(31) & 0x7f) | 0x40, 31);
    const hash = createHash('sha512').update(spelling).update(pair.publicKey).update(bytes).digest();
    const scalar = (fromLittleEndian(hash) * fromLittleEndian(digest)) % groupOrder;
    return Buffer.concat([spelling, toLittleEndian(scalar)]);
  }

  function verify(publicKey: string, candidate: Uint8Array): boolean | undefined {
    return verifyKeyFromBase64(publicKey)?.verify(bytes, candidate);
  }
});

describe('keys', () => {
  test('ids and seeds that are none', () => {
    const seed = Buffer.alloc(32);
    for (const keyId of ['ed25519', 'ed25519:', 'ed25519:a-b', 'rsa:1', ':1', 'ed25519:ä']) {
      expect(() => signingKeyFromSeed(keyId, seed)).toThrow(RangeError);
    }
    expect(() => signingKeyFromSeed('ed25519:1', Buffer.alloc(31))).toThrow(RangeError);
  });

  test('public keys in either alphabet, padded or not', () => {
    const raw = Buffer.from('fb'.repeat(32), 'hex');
    for (const encoding of ['base64', 'base64url'] as const) {
      expect(verifyKeyFromBase64(raw.toString(encoding))?.publicKey).toBe(encodeBase64(raw));
    }
    for (const text of ['', 'AAAA', 'not base64!', `${raw.toString('base64')}AAAA`]) {
      expect(verifyKeyFromBase64(text)).toBeUndefined();
    }
  });
});

test('the self-test passes', () => {
  expect(() => cryptoSelfTest()).not.toThrow();
});

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function toLittleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}
