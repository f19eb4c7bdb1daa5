import { Semaphore } from './semaphore.ts';

/** Few tasks of each caller at once, so that one alone does not take all the turns of the others. */
export class TurnsOfCallers {
  readonly #concurrency: number;
  readonly #waitingMax: number;
  readonly #turns = new Map<string, Semaphore>();

  constructor(concurrency: number, waitingMax: number) {
    this.#concurrency = concurrency;
    this.#waitingMax = waitingMax;
  }

  /** Resolves or rejects as `task` does. Throws SemaphoreFull when too many of the caller's wait. */
  async run<T>(caller: string, task: () => Promise<T>): Promise<T> {
    const turns = this.#turns.get(caller) ?? new Semaphore(this.#concurrency, this.#waitingMax);
    this.#turns.set(caller, turns);
    try {
      return await turns.run(task);
    } finally {
      if (turns.running === 0 && turns.waiting === 0) this.#turns.delete(caller);
    }
  }

  /** Callers with a task that runs or waits. */
  get size(): number {
    return this.#turns.size;
  }
}
