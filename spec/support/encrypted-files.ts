/** Files as clients encrypt them, for requests to the content scanner. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { Attachment, Curve25519PublicKey, initAsync, PkEncryption } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';

export interface EncryptedForTest {
  readonly bytes: Buffer;
  /** The `file` of an event, for content at this URI. */
  fileAt(url: string): JsonObject;
}

/** As matrix-sdk-crypto does it. */
export async function encryptAttachment(plain: Uint8Array): Promise<EncryptedForTest> {
  await initAsync();
  const attachment = Attachment.encrypt(plain);
  const info = JSON.parse(attachment.mediaEncryptionInfo ?? '{}') as JsonObject;
  return { bytes: Buffer.from(attachment.encryptedData), fileAt: (url) => ({ ...info, url }) };
}

/** With a key of one's own, which is chosen by who wants to deceive. */
export function encryptWith(plain: Buffer, key = randomBytes(32), iv = randomBytes(16)): EncryptedForTest {
  const cipher = createCipheriv('aes-256-ctr', key, iv);
  const bytes = Buffer.concat([cipher.update(plain), cipher.final()]);
  return {
    bytes,
    fileAt: (url) => ({
      v: 'v2',
      url,
      key: { kty: 'oct', alg: 'A256CTR', ext: true, key_ops: ['encrypt', 'decrypt'], k: key.toString('base64url') },
      iv: unpadded(iv),
      hashes: { sha256: unpadded(createHash('sha256').update(bytes).digest()) },
    }),
  };
}

/** The field `encrypted_body`, for a server with this public key. */
export async function encryptedBodyFor(publicKey: string, body: JsonObject | string): Promise<JsonObject> {
  await initAsync();
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const message = PkEncryption.fromKey(new Curve25519PublicKey(publicKey)).encryptString(text).toBase64();
  return { ciphertext: message.ciphertext, mac: message.mac, ephemeral: message.ephemeralKey };
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
