/**
 * Password hashes: argon2id, computed in libuv's thread pool, never in the main thread. At most `concurrency` at a time,
 * so that logins do not take all cores and all memory; when too many wait, the caller is told to come back later.
 */
import { argon2, timingSafeEqual } from 'node:crypto';
import { MatrixError } from '../matrix/errors.ts';
import { limits } from '../platform/limits.ts';
import type { Random } from '../platform/ports.ts';
import { Semaphore, SemaphoreFull } from '../platform/semaphore.ts';
import { formatPhc, parsePhc, type PhcHash } from './phc-string.ts';

export interface PasswordsOptions {
  readonly memoryKib: number;
  readonly passes: number;
  readonly concurrency: number;
}

export class Passwords {
  readonly #cost: Pick<PhcHash, 'memoryKib' | 'passes' | 'parallelism'>;
  readonly #random: Random;
  readonly #semaphore: Semaphore;

  constructor(options: PasswordsOptions, random: Random) {
    this.#cost = { memoryKib: options.memoryKib, passes: options.passes, parallelism: 1 };
    this.#random = random;
    this.#semaphore = new Semaphore(options.concurrency, waitingMax);
  }

  /** A PHC string with a new salt. Throws 429 M_LIMIT_EXCEEDED when too many hashes are being computed. */
  async hash(password: string): Promise<string> {
    const salt = this.#random.bytes(saltBytes);
    const hash = await this.#derive(password, { ...this.#cost, salt }, hashBytes);
    return formatPhc({ ...this.#cost, salt, hash });
  }

  /**
   * Whether the password is the one that was hashed. Takes as long for `undefined` (no such account, no password) as for a
   * wrong one, so that nobody learns by timing who exists. Throws 429 M_LIMIT_EXCEEDED as `hash` does.
   */
  async verify(password: string, phcText: string | undefined): Promise<boolean> {
    const phc = phcText === undefined ? undefined : parsePhc(phcText);
    const against = phc ?? { ...this.#cost, salt: dummySalt, hash: Buffer.alloc(hashBytes) };
    const isTooLong = Buffer.byteLength(password) > limits.passwordBytesMax;
    const derived = await this.#derive(isTooLong ? '' : password, against, against.hash.length);
    return timingSafeEqual(derived, against.hash) && phc !== undefined && !isTooLong;
  }

  /** Whether the hash was made at today's cost; if not, the next successful login makes it anew. */
  isCurrent(phcText: string): boolean {
    const phc = parsePhc(phcText);
    return phc !== undefined && phc.memoryKib === this.#cost.memoryKib && phc.passes === this.#cost.passes;
  }

  async #derive(password: string, phc: Omit<PhcHash, 'hash'>, tagLength: number): Promise<Buffer> {
    const { memoryKib: memory, passes, parallelism, salt: nonce } = phc;
    // Compatibility forms of one character must be one password, whichever keyboard it was typed on.
    const message = Buffer.from(password.normalize('NFKC'));
    try {
      return await this.#semaphore.run(() => derive({ message, nonce, parallelism, tagLength, memory, passes }));
    } catch (error) {
      if (!(error instanceof SemaphoreFull)) throw error;
      throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many people are logging in just now', {
        retry_after_ms: retryAfterMs,
      });
    }
  }
}

const saltBytes = 16;
const hashBytes = 32;
const waitingMax = 256;
const retryAfterMs = 5000;
const dummySalt = Buffer.from('no such account!');

function derive(parameters: Parameters<typeof argon2>[1]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, derived) => (error ? reject(error) : resolve(derived)));
  });
}
