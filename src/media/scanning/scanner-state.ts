import { limits } from '../../platform/limits.ts';
import type { Clock, TimerHandle, Timers } from '../../platform/ports.ts';
import { type Scanner, ScannerFailed } from './scanner.ts';

export interface ScannerStateOptions {
  readonly scanner: Scanner;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly settings: { readonly timeoutSeconds: number };
  /** Told when the scanner begins to fail, and not again before it has answered; and of files that it gives no verdict on. */
  readonly onFailed: (error: unknown) => void;
}

/** Whether a scanner answers, and what it says of itself. One that does not is left alone for a while. */
export class ScannerState {
  readonly #options: ScannerStateOptions;
  readonly #asking = new Set<AbortController>();
  #version: { readonly text: string; readonly untilMs: number } | undefined;
  #askingVersion: Promise<string> | undefined;
  #pausedUntilMs = 0;
  #isFailing = false;
  #isClosed = false;

  constructor(options: ScannerStateOptions) {
    this.#options = options;
  }

  /** As it was not long ago. Rejects with ScannerFailed. */
  async version(): Promise<string> {
    const { clock, scanner } = this.#options;
    if (this.#version !== undefined && this.#version.untilMs > clock.monotonicMs()) return this.#version.text;
    this.#askingVersion ??= this.#ask((signal) => scanner.version(signal), limits.scannerVersionTimeoutMs)
      .then(
        (text) => {
          this.#version = { text, untilMs: clock.monotonicMs() + limits.scannerVersionMs };
          this.#isFailing = false;
          return text;
        },
        (error: unknown) => {
          this.#pause(error);
          throw error;
        },
      )
      .finally(() => (this.#askingVersion = undefined));
    return this.#askingVersion;
  }

  /** Lets the scanner look at a file, within the configured time. Rejects with ScannerFailed, and with what `work` throws. */
  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const answer = await this.#ask(work, this.#options.settings.timeoutSeconds * 1000);
      this.#isFailing = false;
      return answer;
    } catch (error) {
      if (error instanceof ScannerFailed) {
        // Whether it does not answer at all is known soon: that takes less time than a file.
        this.#version = undefined;
        if (error.isAboutFile && !this.#isClosed) this.#options.onFailed(error);
        else this.#pause(error);
      }
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#asking) controller.abort();
  }

  async #ask<T>(work: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
    const { clock, timers } = this.#options;
    if (this.#isClosed || this.#pausedUntilMs > clock.monotonicMs()) throw new LeftAlone();
    const controller = new AbortController();
    this.#asking.add(controller);
    let isLate = false;
    const deadline: TimerHandle = timers.after(timeoutMs, () => {
      isLate = true;
      controller.abort();
    });
    try {
      return await work(controller.signal);
    } catch (error) {
      if (!isLate || !(error instanceof ScannerFailed)) throw error;
      throw new ScannerFailed(`the scanner gave no answer within ${timeoutMs} ms`, { isAboutFile: true });
    } finally {
      deadline.cancel();
      this.#asking.delete(controller);
    }
  }

  #pause(error: unknown): void {
    if (this.#isClosed || error instanceof LeftAlone) return;
    this.#pausedUntilMs = this.#options.clock.monotonicMs() + limits.scannerPauseMs;
    if (!this.#isFailing) this.#options.onFailed(error);
    this.#isFailing = true;
  }
}

/** It was not asked. */
class LeftAlone extends ScannerFailed {
  constructor() {
    super('the scanner is not asked now');
  }
}
