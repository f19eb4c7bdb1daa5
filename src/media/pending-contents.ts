import type { MxcUri } from '../matrix/ids/mxc-uri.ts';
import type { Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';

/** Those who wait for contents that were promised: created, and not uploaded yet. */
export class PendingContents {
  readonly #timers: Timers;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #unfollow: () => void;

  constructor(db: Database, timers: Timers) {
    this.#timers = timers;
    this.#unfollow = db.onCommitted(({ wakes }) => {
      for (const wake of wakes) if (wake.kind === 'media-uploaded') this.#arrived(keyOf(wake.origin, wake.mediaId));
    });
  }

  /**
   * What `find` gives once the content has come; what it gives at the end when the time is over or the signal is aborted before.
   * It is asked at once too, because the content may have come before anybody waited. Rejects as it does.
   */
  async wait<T>(
    { serverName, mediaId }: MxcUri,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
    find: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const key = keyOf(serverName, mediaId);
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(wake));
    const timer = this.#timers.after(timeoutMs, wake);
    signal.addEventListener('abort', wake, { once: true });
    try {
      const early = await find();
      if (early !== undefined) return early;
      if (!signal.aborted) await promise;
      return await find();
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', wake);
      waiting.delete(wake);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    }
  }

  close(): void {
    this.#unfollow();
  }

  #arrived(key: string): void {
    for (const resolve of this.#waiting.get(key) ?? []) resolve();
  }
}

const keyOf = (origin: string, mediaId: string): string => `${origin}/${mediaId}`;
