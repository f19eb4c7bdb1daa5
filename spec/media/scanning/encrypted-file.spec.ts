import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import {
  decrypted,
  type EncryptedFile,
  parseEncryptedFile,
  subjectOf,
} from '../../../src/media/scanning/encrypted-file.ts';
import { encryptAttachment, encryptWith } from '../../support/encrypted-files.ts';

const url = 'mxc://example.org/abc';
const parsed = (file: JsonObject): EncryptedFile => {
  const found = parseEncryptedFile(file);
  if (found === undefined) throw new Error('no EncryptedFile');
  return found;
};
async function decryptAll(bytes: Buffer, pieceBytes: number, file: EncryptedFile): Promise<Buffer> {
  async function* pieces(): AsyncIterable<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const parts: Buffer[] = [];
  for await (const part of decrypted(pieces(), file)) parts.push(part);
  return Buffer.concat(parts);
}

describe('an encrypted file', () => {
  it('is read as matrix-sdk-crypto encrypts it', async () => {
    const plain = Buffer.from('The quick brown fox jumps over the lazy dog');
    const { bytes, fileAt } = await encryptAttachment(plain);
    expect(await decryptAll(bytes, 7, parsed(fileAt(url)))).toEqual(plain);
  });

  it('is the same in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.integer({ min: 1, max: 100 }),
        async (plain, pieceBytes) => {
          const { bytes, fileAt } = encryptWith(Buffer.from(plain));
          expect(await decryptAll(bytes, pieceBytes, parsed(fileAt(url)))).toEqual(Buffer.from(plain));
        },
      ),
    );
  });

  it('has one verdict for each content, key and counter', () => {
    const [key, iv] = [Buffer.alloc(32, 1), Buffer.alloc(16, 2)];
    const file = parsed(encryptWith(Buffer.from('x'), key, iv).fileAt(url));
    expect(subjectOf(file)).toEqual(subjectOf({ ...file, uri: { ...file.uri, mediaId: 'other' } }));
    const others = [
      { ...file, key: Buffer.alloc(32, 3) },
      { ...file, iv: Buffer.alloc(16, 3) },
      { ...file, sha256: Buffer.alloc(32, 3) },
    ];
    for (const other of others) expect(subjectOf(other)).not.toEqual(subjectOf(file));
  });

  it('is told from everything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseEncryptedFile(value as JsonObject)).toBeUndefined();
      }),
    );
  });
});
