/** Against vodozemac, in the form in which clients have it. */
import { Curve25519PublicKey, initAsync, PkEncryption } from '@matrix-org/matrix-sdk-crypto-wasm';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PkDecryption, type PkMessage } from '../../../src/matrix/crypto/pk-decryption.ts';

beforeAll(() => initAsync());

const secret = Buffer.alloc(32, 7);
function encryptedFor({ publicKey }: PkDecryption, text: Uint8Array): PkMessage {
  const { ciphertext, mac, ephemeralKey } = PkEncryption.fromKey(new Curve25519PublicKey(publicKey))
    .encrypt(text)
    .toBase64();
  return { ciphertext, mac, ephemeral: ephemeralKey };
}

describe('a message to a key', () => {
  it('is read as vodozemac encrypts it', () => {
    const key = new PkDecryption(secret);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (text) => {
        expect(key.decrypt(encryptedFor(key, text))).toEqual(Buffer.from(text));
      }),
      { numRuns: 50 },
    );
  });

  it('is not read by another key, or when any of it was changed', () => {
    const key = new PkDecryption(secret);
    const message = encryptedFor(key, Buffer.from('{"file":{}}'));
    expect(new PkDecryption(Buffer.alloc(32, 8)).decrypt(message)).toBeUndefined();
    const wrong: Partial<PkMessage>[] = [
      { mac: 'AAAAAAAAAAA' },
      { mac: '' },
      { mac: `${message.mac}AAAA` },
      { mac: '!' },
      { ephemeral: encryptedFor(key, Buffer.from('x')).ephemeral },
      { ephemeral: 'AAAA' },
      // Of small order.
      { ephemeral: 'A'.repeat(43) },
      { ciphertext: '' },
      { ciphertext: 'AAAA' },
      { ciphertext: '*' },
      { ciphertext: Buffer.alloc(64, 1).toString('base64') },
    ];
    for (const change of wrong) expect(key.decrypt({ ...message, ...change }), JSON.stringify(change)).toBeUndefined();
  });

  it('needs a key of 32 bytes', () => {
    expect(() => new PkDecryption(Buffer.alloc(31))).toThrow(RangeError);
  });
});
