/** Argon2 hashes as text: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, the form that other servers and tools read too. */
import { decodeBase64, encodeBase64 } from '../matrix/ids/base64.ts';

export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}
export interface PhcHash extends Argon2Cost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export function formatPhc(phc: PhcHash): string {
  const { memoryKib, passes, parallelism } = phc;
  const cost = `m=${memoryKib},t=${passes},p=${parallelism}`;
  return `$argon2id$v=19$${cost}$${encodeBase64(phc.salt)}$${encodeBase64(phc.hash)}`;
}

/** undefined: not an argon2id hash of version 19 that this can compute. */
export function parsePhc(text: string): PhcHash | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [memoryKib, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const salt = decodeBase64(match[4] ?? '');
  const hash = decodeBase64(match[5] ?? '');
  if (salt === undefined || hash === undefined || salt.length < 8 || hash.length < 16) return undefined;
  if (parallelism < 1 || passes < 1 || memoryKib < 8 * parallelism) return undefined;
  return { memoryKib, passes, parallelism, salt, hash };
}

const shape = /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,6}),p=(\d{1,4})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
