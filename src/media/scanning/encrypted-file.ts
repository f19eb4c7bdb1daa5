import { createDecipheriv, createHash } from 'node:crypto';
import { decodeBase64 } from '../../matrix/ids/base64.ts';
import { type MxcUri, parseMxcUri } from '../../matrix/ids/mxc-uri.ts';
import { isJsonObject, type JsonValue } from '../../matrix/json/json-value.ts';

/** Where an encrypted file is, and how it is read. The key goes nowhere else. */
export interface EncryptedFile {
  readonly uri: MxcUri;
  readonly key: Buffer;
  readonly iv: Buffer;
  /** Of the encrypted bytes. */
  readonly sha256: Buffer;
}

/** An `EncryptedFile` of an event. undefined: it is none. https://spec.matrix.org/v1.19/client-server-api/#extensions-to-mroommessage-msgtypes */
export function parseEncryptedFile(file: JsonValue | undefined): EncryptedFile | undefined {
  if (!isJsonObject(file) || file['v'] !== 'v2') return undefined;
  const { url, key, iv, hashes } = file;
  const uri = typeof url === 'string' ? parseMxcUri(url) : undefined;
  const sha256 = isJsonObject(hashes) ? bytesOf(hashes['sha256'], 32) : undefined;
  const ivBytes = bytesOf(iv, 16);
  const keyBytes = bytesOfKey(key);
  if (uri === undefined || sha256 === undefined || ivBytes === undefined || keyBytes === undefined) return undefined;
  return { uri, key: keyBytes, iv: ivBytes, sha256 };
}

/** What was encrypted, piece by piece. */
export async function* decrypted(
  chunks: AsyncIterable<Buffer>,
  { key, iv }: Pick<EncryptedFile, 'key' | 'iv'>,
): AsyncIterable<Buffer> {
  const cipher = createDecipheriv('aes-256-ctr', key, iv);
  for await (const chunk of chunks) yield cipher.update(chunk);
}

/** Under what the verdict on it is kept: the key cannot be told from it. */
export const subjectOf = ({ sha256, key, iv }: EncryptedFile): Buffer =>
  createHash('sha256').update('encrypted file\0').update(sha256).update(key).update(iv).digest();

/** A JSON web key. */
function bytesOfKey(key: JsonValue | undefined): Buffer | undefined {
  if (!isJsonObject(key)) return undefined;
  const { kty, alg, ext, key_ops: operations, k } = key;
  const isUsable = kty === 'oct' && alg === 'A256CTR' && ext === true && Array.isArray(operations);
  if (!isUsable || !operations.includes('encrypt') || !operations.includes('decrypt')) return undefined;
  return bytesOf(k, 32);
}

function bytesOf(text: JsonValue | undefined, length: number): Buffer | undefined {
  const bytes = typeof text === 'string' ? decodeBase64(text) : undefined;
  return bytes?.length === length ? bytes : undefined;
}
