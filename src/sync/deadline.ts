import type { Timers } from '../platform/ports.ts';

/** What a request waits for. */
export interface Changing {
  /** Called at the next change, at most once. The answer takes the call back. */
  onceChanged(run: () => void): () => void;
}

/** How long a request waits: until its time is over or its client has gone. */
export class Deadline {
  isOver: boolean;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#expire();
  #cancelTimer: () => void = () => {};
  #wakeUp: () => void = () => {};
  #stopWaiting: () => void = () => {};

  static after(timers: Timers, timeoutMs: number, signal: AbortSignal): Deadline {
    const deadline = new Deadline(timeoutMs <= 0 || signal.aborted, signal);
    if (deadline.isOver) return deadline;
    const timer = timers.after(timeoutMs, () => deadline.#expire());
    deadline.#cancelTimer = () => timer.cancel();
    signal.addEventListener('abort', deadline.#onAbort, { once: true });
    return deadline;
  }
  constructor(isOver: boolean, signal: AbortSignal) {
    this.isOver = isOver;
    this.#signal = signal;
  }

  /** Resolves at the next change, or when the time is over. */
  nextChange(source: Changing): Promise<void> {
    this.#stopWaiting();
    if (this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
      this.#stopWaiting = source.onceChanged(resolve);
    });
  }

  /** Nobody waits for the answer any longer. */
  cutShort(): void {
    this.#expire();
  }

  end(): void {
    this.#cancelTimer();
    this.#stopWaiting();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #expire(): void {
    this.isOver = true;
    this.#wakeUp();
  }
}
