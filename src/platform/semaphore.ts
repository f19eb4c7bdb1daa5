/** As many wait already as may. */
export class SemaphoreFull extends Error {
  override readonly name = 'SemaphoreFull';
}

/** At most `concurrency` tasks at once, the others in the order of asking; those that find `waitingMax` waiting are refused. */
export class Semaphore {
  readonly #concurrency: number;
  readonly #waitingMax: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(concurrency: number, waitingMax: number) {
    this.#concurrency = concurrency;
    this.#waitingMax = waitingMax;
  }

  /**
   * Resolves or rejects as `task` does. Throws SemaphoreFull without running it when too many wait, and the signal's reason when that
   * is aborted before its turn.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running < this.#concurrency) this.#running += 1;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      this.#passOn();
    }
  }

  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#waiting.size;
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= this.#waitingMax) throw new SemaphoreFull('too many tasks are waiting');
    const turn = Promise.withResolvers<void>();
    this.#waiting.add(turn.resolve);
    const onAbort = (): void => {
      // Not when its turn came in the same moment: then the place is its own and is passed on in the end.
      if (this.#waiting.delete(turn.resolve)) turn.reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The place goes to the one who waits longest; only without one is there a running task less. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
