/** At most `concurrency` tasks at a time, the others in order of arrival; beyond `waitingMax` waiting ones it refuses. */
export class Semaphore {
  readonly #concurrency: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(concurrency: number, waitingMax: number) {
    this.#concurrency = concurrency;
    this.#waitingMax = waitingMax;
  }

  /** Throws SemaphoreFull, without running the task, when too many wait already. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length >= this.#waitingMax) throw new SemaphoreFull('Too many tasks are waiting');
      // The one who ends hands its place on, so #running does not change.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

export class SemaphoreFull extends Error {
  override readonly name = 'SemaphoreFull';
}
