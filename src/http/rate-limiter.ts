import type { Clock } from '../platform/ports.ts';
import type { RateLimitClass } from './endpoint.ts';

export interface RateLimiter {
  /**
   * Counts one call of `who` (a user id, or an address where nobody is logged in). Returns 0 if it may proceed, otherwise
   * in how many milliseconds it may; a refused call costs nothing.
   */
  take(rateClass: Exclude<RateLimitClass, 'none'>, who: string): number;
}

/** `perSecond` calls on average, `burst` at once. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * One token bucket per class and caller, bounded in number: when there are too many, full buckets go first, because a full
 * bucket and no bucket are the same; then the ones used longest ago.
 */
export class TokenBuckets implements RateLimiter {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #limits: Readonly<Partial<Record<RateLimitClass, RateLimit>>>;
  readonly #bucketsMax: number;
  /** In the order of use, oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  /** Classes without a limit are not limited. */
  constructor(
    limits: Readonly<Partial<Record<RateLimitClass, RateLimit>>>,
    clock: Pick<Clock, 'monotonicMs'>,
    bucketsMax = 100_000,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#bucketsMax = bucketsMax;
  }

  take(rateClass: Exclude<RateLimitClass, 'none'>, who: string): number {
    const limit = this.#limits[rateClass];
    if (limit === undefined) return 0;
    const nowMs = this.#clock.monotonicMs();
    const key = `${rateClass} ${who}`;
    const bucket = this.#buckets.get(key) ?? { tokens: limit.burst, atMs: nowMs, limit };
    const tokens = tokensAt(bucket, nowMs);
    if (tokens < 1) return Math.min(((1 - tokens) / limit.perSecond) * 1000, retryAfterMsMax);
    this.#buckets.delete(key);
    if (this.#buckets.size >= this.#bucketsMax) this.#makeRoom(nowMs);
    this.#buckets.set(key, { tokens: tokens - 1, atMs: nowMs, limit });
    return 0;
  }

  /** For metrics and tests. */
  get size(): number {
    return this.#buckets.size;
  }

  #makeRoom(nowMs: number): void {
    for (const [key, bucket] of this.#buckets)
      if (tokensAt(bucket, nowMs) >= bucket.limit.burst) this.#buckets.delete(key);
    // A tenth at a time, so that a flood of callers does not pay for a sweep with every call.
    let excess = this.#buckets.size - Math.floor(this.#bucketsMax * 0.9);
    for (const key of this.#buckets.keys()) {
      if (excess <= 0) break;
      this.#buckets.delete(key);
      excess -= 1;
    }
  }
}

/** With a rate of zero a caller would never come back. */
const retryAfterMsMax = 3_600_000;

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
  readonly limit: RateLimit;
}

const tokensAt = ({ tokens, atMs, limit }: Bucket, nowMs: number): number =>
  Math.min(limit.burst, tokens + ((nowMs - atMs) / 1000) * limit.perSecond);

/**
 * The caller behind an address: an IPv6 customer has a whole /64, so that is what is counted.
 * An attacker with a /48 still has 65,536 of them.
 */
export function callerOfAddress(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  // A dotted tail (::ffff:192.0.2.1) is one group here and two in the address; it is never among the first four.
  const missing = tail === undefined ? 0 : 8 - before.length - after.length - (address.includes('.') ? 1 : 0);
  const groups = [...before, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...after];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

const groupsOf = (text: string): string[] =>
  text === '' ? [] : text.split(':').map((group) => group.replace(/^0+(?=.)/, '').toLowerCase());
