import type { Clock } from '../platform/ports.ts';
import type { RateLimitClass } from './endpoint.ts';

/** What is counted: the calls of a user, those from an address, attempts on an account by whomever, or the calls of another server. */
export type CallerKind = 'user' | 'address' | 'account' | 'server';
/** The classes of endpoints, and those of what goes wrong. */
export type CountedClass =
  | Exclude<RateLimitClass, 'none'>
  | 'loginFailures'
  | 'accountFailures'
  | 'mailbox'
  | 'unknownTokens'
  | 'unknownSignatures';

export interface RateLimiter {
  /**
   * Counts one call of `who`: a user id, an address (as callerOfAddress has it), or what names an account. Returns 0 if it
   * may proceed, otherwise in how many milliseconds it may; a refused call costs nothing.
   */
  take(rateClass: CountedClass, kind: CallerKind, who: string): number;
  /** Takes back one call that was counted: it turned out to be none of those that the class limits. */
  giveBack(rateClass: CountedClass, kind: CallerKind, who: string): void;
}

/** `perSecond` calls on average, `burst` at once. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export type RateLimits = Readonly<Partial<Record<CountedClass, RateLimit>>>;

/**
 * One token bucket per class and caller. Each kind of caller has a table of its own, so that addresses, which are easily
 * had, cannot push out what is remembered of users and accounts. The tables are bounded: where there are too many, full
 * buckets go first, because a full bucket and no bucket are the same; then the ones used longest ago.
 */
export class TokenBuckets implements RateLimiter {
  readonly #tables: Readonly<Record<CallerKind, BucketTable>>;

  /** Classes without a limit are not limited. `bucketsMax`: of each kind of caller. */
  constructor(limits: RateLimits, clock: Pick<Clock, 'monotonicMs'>, bucketsMax = 100_000) {
    const table = (): BucketTable => new BucketTable(limits, clock, bucketsMax);
    this.#tables = { user: table(), address: table(), account: table(), server: table() };
  }

  take(rateClass: CountedClass, kind: CallerKind, who: string): number {
    return this.#tables[kind].take(rateClass, who);
  }

  /** From now on these count. Who has called much before has not done so less. */
  replace(limits: RateLimits): void {
    for (const table of Object.values(this.#tables)) table.replace(limits);
  }

  giveBack(rateClass: CountedClass, kind: CallerKind, who: string): void {
    this.#tables[kind].giveBack(rateClass, who);
  }

  /** For metrics and tests. */
  get size(): number {
    return Object.values(this.#tables).reduce((sum, { size }) => sum + size, 0);
  }
}

class BucketTable {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #limits: RateLimits;
  readonly #bucketsMax: number;
  /** In the order of use, oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits, clock: Pick<Clock, 'monotonicMs'>, bucketsMax: number) {
    this.#limits = limits;
    this.#clock = clock;
    this.#bucketsMax = bucketsMax;
  }

  take(rateClass: CountedClass, who: string): number {
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

  giveBack(rateClass: CountedClass, who: string): void {
    const key = `${rateClass} ${who}`;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const tokens = Math.min(bucket.limit.burst, tokensAt(bucket, nowMs) + 1);
    this.#buckets.set(key, { ...bucket, tokens, atMs: nowMs });
  }

  replace(limits: RateLimits): void {
    this.#limits = limits;
    const nowMs = this.#clock.monotonicMs();
    for (const [key, bucket] of this.#buckets) {
      const limit = limits[key.slice(0, key.indexOf(' ')) as CountedClass];
      if (limit === undefined) {
        this.#buckets.delete(key);
        continue;
      }
      const used = bucket.limit.burst - tokensAt(bucket, nowMs);
      this.#buckets.set(key, { tokens: Math.max(0, limit.burst - used), atMs: nowMs, limit });
    }
  }

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
