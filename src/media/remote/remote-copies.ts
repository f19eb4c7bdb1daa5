import { MatrixError } from '../../matrix/errors.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import { TurnsOfCallers } from '../../platform/turns-of-callers.ts';
import { largestQuarantined } from '../../storage/stores/quarantine-store.ts';
import type { MediaContext } from '../context.ts';
import { type FetchContext, type FetchOptions, RemoteFetch, remoteTooLarge } from './remote-fetch.ts';

export interface RemoteWish {
  /** How long to wait for what is not uploaded yet. */
  readonly timeoutMs: number;
  /** Ends the waiting; the fetch goes on for whoever comes next. */
  readonly signal: AbortSignal;
  /** Beyond that it is not wanted; absent: what the configuration says. */
  readonly bytesMax?: number | undefined;
}

type RemoteContext = FetchContext & Pick<MediaContext, 'timers' | 'scans' | 'settings' | 'onFailed'>;

/**
 * Files of other servers: fetched when somebody wants them, once for all who do, and kept like uploads, of nobody here. A whole file or
 * none is kept. docs/decisions/0023-media.md
 */
export class RemoteCopies {
  readonly #ctx: RemoteContext;
  readonly #running = new Map<string, RemoteFetch>();
  readonly #runs = new Set<Promise<void>>();
  readonly #turnsOfServers = new TurnsOfCallers(limits.remoteMediaPerServerMax, limits.remoteMediaPerServerWaitingMax);
  readonly #turns = new Semaphore(limits.remoteMediaAtOnceMax, limits.remoteMediaWaitingMax);
  readonly #failures = new Lru<string, Failure>({ sizeMax: limits.remoteMediaFailuresMax });
  #isClosed = false;

  constructor(ctx: RemoteContext) {
    this.#ctx = ctx;
  }

  /**
   * Resolves when a file that there is no copy of is stored. Throws what the port `RemoteContents` does, 502 M_TOO_LARGE, 504
   * M_NOT_YET_UPLOADED, 507 M_UNKNOWN when there is no room, 429 M_LIMIT_EXCEEDED when too many are being fetched.
   */
  async find(uri: MxcUri, wish: RemoteWish): Promise<void> {
    await this.#await(uri, wish, async () => false);
  }

  /** As `find`; the fetch itself when enough of a large file is here that it may be passed on while the rest still comes. */
  async findOrFollow(uri: MxcUri, wish: RemoteWish): Promise<RemoteFetch | undefined> {
    return await this.#await(uri, wish, (fetching) => this.#mayBeFollowed(fetching));
  }

  /** What is being fetched is given up; nothing of it stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const fetching of this.#running.values()) fetching.fail(closing());
    await Promise.all(this.#runs);
  }

  async #await(
    uri: MxcUri,
    { timeoutMs, signal, bytesMax = this.#bytesMax }: RemoteWish,
    isEnough: (fetching: RemoteFetch) => Promise<boolean>,
  ): Promise<RemoteFetch | undefined> {
    const { clock, timers } = this.#ctx;
    const beganMs = clock.monotonicMs();
    for (;;) {
      const leftMs = Math.max(0, Math.ceil(timeoutMs - (clock.monotonicMs() - beganMs)));
      const fetching = this.#begun(uri, { timeoutMs: leftMs, bytesMax });
      const deadline = new AbortController();
      const timer = timers.after(leftMs + limits.remoteMediaHeadMs, () => deadline.abort());
      const either = AbortSignal.any([signal, deadline.signal]);
      try {
        while (!fetching.isEnded) {
          if (fetching.receivedBytes > bytesMax) throw remoteTooLarge(bytesMax);
          if (await isEnough(fetching)) return fetching;
          await fetching.progress(fetching.isComing ? signal : either);
          if (signal.aborted || (deadline.signal.aborted && !fetching.isComing)) throw notYet();
        }
      } finally {
        timer.cancel();
      }
      try {
        fetching.outcome();
        return undefined;
      } catch (error) {
        // Somebody else was less patient, or wanted less of it.
        const isMine = fetching.timeoutMs >= leftMs || !isNotYet(error);
        if (isMine) throw error;
      }
    }
  }

  /** The one that goes on, or a new one. */
  #begun(uri: MxcUri, options: FetchOptions): RemoteFetch {
    const key = `${uri.serverName}/${uri.mediaId}`;
    const running = this.#running.get(key);
    if (running?.isEnded === false) {
      running.allow(options.bytesMax);
      return running;
    }
    const failure = this.#failures.find(key);
    if (
      failure !== undefined &&
      failure.untilMs > this.#ctx.clock.monotonicMs() &&
      options.bytesMax <= failure.bytesMax
    )
      throw failure.error;
    if (this.#isClosed) throw closing();
    const fetching = new RemoteFetch(this.#ctx, uri, options);
    this.#running.set(key, fetching);
    const run = this.#run(fetching, key, options.bytesMax);
    this.#runs.add(run);
    void run.finally(() => this.#runs.delete(run));
    return fetching;
  }

  /** Never rejects. */
  async #run(fetching: RemoteFetch, key: string, bytesMax: number): Promise<void> {
    const { serverName } = fetching.uri;
    try {
      await this.#turnsOfServers.run(serverName, () => this.#turns.run(() => fetching.run()));
    } catch (error) {
      fetching.fail(error instanceof SemaphoreFull ? tooMany() : error);
    } finally {
      if (this.#running.get(key) === fetching) this.#running.delete(key);
      this.#count(fetching, key, bytesMax);
    }
  }

  #count(fetching: RemoteFetch, key: string, bytesMax: number): void {
    const { metrics, clock, onFailed } = this.#ctx;
    let outcome: Outcome = 'stored';
    try {
      fetching.outcome();
      this.#failures.delete(key);
    } catch (error) {
      outcome = outcomeOf(error);
      const nowMs = clock.monotonicMs();
      if (error instanceof MatrixError && outcome === 'not_found')
        this.#failures.set(key, { error, untilMs: nowMs + limits.remoteMediaRetryMs, bytesMax: Infinity });
      if (error instanceof MatrixError && outcome === 'too_large')
        this.#failures.set(key, { error, untilMs: nowMs + limits.thumbnailFailureMs, bytesMax });
      if (!(error instanceof MatrixError)) onFailed(error);
    }
    metrics.remoteFetches.add({ outcome });
  }

  /** Once it is longer than whatever is in quarantine, it cannot be that; and nobody wants to look into it first. */
  async #mayBeFollowed(fetching: RemoteFetch): Promise<boolean> {
    if (this.#ctx.scans !== undefined || fetching.receivedBytes < limits.arrivingBytesMin) return false;
    fetching.hiddenBytes ??= (await this.#ctx.db.one(largestQuarantined, {}))?.bytes ?? 0;
    return !fetching.isEnded && fetching.receivedBytes > fetching.hiddenBytes;
  }

  get #bytesMax(): number {
    const { remoteBytesMax, uploadBytesMax } = this.#ctx.settings;
    return remoteBytesMax ?? uploadBytesMax;
  }
}

interface Failure {
  readonly error: MatrixError;
  readonly untilMs: number;
  /** Who wants no more than that is told the same. */
  readonly bytesMax: number;
}
type Outcome = 'stored' | 'not_found' | 'not_yet_uploaded' | 'too_large' | 'no_room' | 'failed';

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof MatrixError)) return 'failed';
  if (error.errcode === 'M_NOT_YET_UPLOADED') return 'not_yet_uploaded';
  if (error.errcode === 'M_TOO_LARGE') return 'too_large';
  if (error.status === 404) return 'not_found';
  return error.status === 507 ? 'no_room' : 'failed';
}

const isNotYet = (error: unknown): boolean => error instanceof MatrixError && error.errcode === 'M_NOT_YET_UPLOADED';
const notYet = (): MatrixError => new MatrixError(504, 'M_NOT_YET_UPLOADED', 'The content has not come yet');
const closing = (): MatrixError => new MatrixError(503, 'M_UNKNOWN', 'The server is being shut down');
const tooMany = (): MatrixError =>
  new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many files of other servers are being fetched', {
    retry_after_ms: 5_000,
  });
