import type { ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import { destinationRow, failingDestinations, putDestination } from '../../storage/stores/destination-store.ts';

/** How it goes with asking a server. */
export interface DestinationHealth {
  /** In a row; 0: it answers. */
  readonly failures: number;
  readonly failingSinceTs: number | undefined;
  /** Until then it is only asked what somebody waits for. */
  readonly retryTs: number;
  /** Of the last failure, in words. */
  readonly lastError: string | undefined;
  /** Up to `limits.destinationNoteMs` ago it may be older than the truth. */
  readonly lastSuccessTs: number | undefined;
}

export type RecoveryListener = (server: ServerName, failedForMs: number) => void;

interface DestinationsParts {
  readonly db: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Pick<Random, 'int'>;
  readonly onFailed: (error: unknown) => void;
}

/**
 * Which servers fail, and when each is tried again: twice as long after each failure, by chance a little sooner or later, from
 * `limits.destinationRetryMs` to `limits.destinationRetryMsMax`. Failures outlast a restart; those who fail are in memory.
 */
export class Destinations {
  readonly #parts: DestinationsParts;
  readonly #failing: Map<string, DestinationHealth>;
  /** When a success of a server that does not fail was last written down. */
  readonly #noted = new Lru<string, number>({ sizeMax: limits.knownDestinationsMax });
  readonly #listeners = new Set<RecoveryListener>();
  readonly #writes = new Set<Promise<unknown>>();

  private constructor(parts: DestinationsParts, failing: Map<string, DestinationHealth>) {
    this.#parts = parts;
    this.#failing = failing;
  }

  static async load(parts: DestinationsParts): Promise<Destinations> {
    const rows = await parts.db.all(failingDestinations, {});
    return new Destinations(parts, new Map(rows.map((row) => [row.server, healthOf(row)])));
  }

  /** In how many milliseconds the server may be asked what nobody waits for; 0: now. */
  retryInMs(server: ServerName): number {
    const health = this.#failing.get(server);
    return health === undefined ? 0 : Math.max(0, health.retryTs - this.#parts.clock.nowMs());
  }

  /** What is known of a server that fails; undefined: it does not. */
  findFailing(server: ServerName): DestinationHealth | undefined {
    return this.#failing.get(server);
  }

  /** Servers that fail, by name. */
  failing(): ReadonlyMap<string, DestinationHealth> {
    return this.#failing;
  }

  /** undefined: it was never asked. */
  async load(server: ServerName): Promise<DestinationHealth | undefined> {
    const row = await this.#parts.db.one(destinationRow, { server });
    return row === undefined ? undefined : (this.#failing.get(server) ?? healthOf(row));
  }

  /** It answered. */
  succeeded(server: ServerName): void {
    if (this.#failing.has(server)) return this.#recovered(server, this.#parts.clock.nowMs());
    const nowMs = this.#parts.clock.nowMs();
    const notedMs = this.#noted.find(server);
    if (notedMs !== undefined && nowMs - notedMs < limits.destinationNoteMs) return;
    this.#noted.set(server, nowMs);
    this.#write(server, well, nowMs);
  }

  /** It made a request to us, so it may well be reached again. */
  heardFrom(server: ServerName): void {
    if (this.#failing.has(server)) this.#recovered(server, null);
  }

  /**
   * It did not answer, or as servers do that are in trouble. Of many requests that fail together one counts.
   * `retryAfterMs`: what it asked for itself.
   */
  failed(server: ServerName, message: string, retryAfterMs = 0): void {
    const { clock, random } = this.#parts;
    const nowMs = clock.nowMs();
    const before = this.#failing.get(server) ?? well;
    const lastError = message.slice(0, errorLengthMax);
    const isCounted = before.retryTs <= nowMs;
    const failures = isCounted ? before.failures + 1 : before.failures;
    const waitMs = Math.min(limits.destinationRetryMsMax, limits.destinationRetryMs * 2 ** Math.min(failures - 1, 30));
    const jitteredMs = waitMs - random.int(Math.max(1, Math.floor(waitMs / 4)));
    const retryTs = isCounted
      ? nowMs + Math.max(jitteredMs, Math.min(retryAfterMs, limits.destinationRetryMsMax))
      : before.retryTs;
    const health = { ...before, failures, retryTs, lastError, failingSinceTs: before.failingSinceTs ?? nowMs };
    this.#failing.set(server, health);
    if (isCounted || before.lastError !== lastError) this.#write(server, health, null);
  }

  /** `listener` is told of servers that failed and may be tried again at once. Returns how to stop. */
  onRecovered(listener: RecoveryListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when everything is on disk. */
  async close(): Promise<void> {
    await Promise.all(this.#writes);
  }

  #recovered(server: ServerName, successTs: number | null): void {
    const nowMs = this.#parts.clock.nowMs();
    const failedForMs = Math.max(0, nowMs - (this.#failing.get(server)?.failingSinceTs ?? nowMs));
    this.#failing.delete(server);
    this.#write(server, well, successTs);
    for (const listener of this.#listeners) listener(server, failedForMs);
  }

  #write(server: ServerName, health: DestinationHealth, lastSuccessTs: number | null): void {
    const { failures, failingSinceTs = null, retryTs, lastError = null } = health;
    const row = { server, failures, failingSinceTs, retryTs, lastError, lastSuccessTs };
    const written = this.#parts.db
      .write((unit) => unit.run(putDestination, row))
      .committed.catch(this.#parts.onFailed)
      .finally(() => this.#writes.delete(written));
    this.#writes.add(written);
  }
}

const errorLengthMax = 500;
const well: DestinationHealth = {
  failures: 0,
  failingSinceTs: undefined,
  retryTs: 0,
  lastError: undefined,
  lastSuccessTs: undefined,
};

function healthOf(row: {
  failures: number;
  failing_since_ts: number | null;
  retry_ts: number;
  last_error: string | null;
  last_success_ts: number | null;
}): DestinationHealth {
  return {
    failures: row.failures,
    failingSinceTs: row.failing_since_ts ?? undefined,
    retryTs: row.retry_ts,
    lastError: row.last_error ?? undefined,
    lastSuccessTs: row.last_success_ts ?? undefined,
  };
}
