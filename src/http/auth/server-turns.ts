import { Semaphore, SemaphoreFull } from '../../platform/semaphore.ts';
import { limitExceeded } from '../errors.ts';

/**
 * How many requests of one caller are answered at once; further ones wait, and beyond `waitingMax` are refused with
 * 429 M_LIMIT_EXCEEDED. Callers who ask nothing take no room.
 */
export class ServerTurns {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #callers = new Map<string, { readonly semaphore: Semaphore; inUse: number }>();

  constructor(atOnceMax: number, waitingMax: number) {
    this.#atOnceMax = atOnceMax;
    this.#waitingMax = waitingMax;
  }

  async run<T>(caller: string, task: () => Promise<T>): Promise<T> {
    let of = this.#callers.get(caller);
    if (of === undefined)
      this.#callers.set(caller, (of = { semaphore: new Semaphore(this.#atOnceMax, this.#waitingMax), inUse: 0 }));
    of.inUse += 1;
    try {
      return await of.semaphore.run(task);
    } catch (error) {
      if (error instanceof SemaphoreFull) throw limitExceeded(retryAfterMs);
      throw error;
    } finally {
      of.inUse -= 1;
      if (of.inUse === 0) this.#callers.delete(caller);
    }
  }

  /** For tests. */
  get callerCount(): number {
    return this.#callers.size;
  }
}

const retryAfterMs = 2_000;
