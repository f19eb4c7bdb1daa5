import { limits } from './limits.ts';
import type { Clock, Timers } from './ports.ts';

export interface ShutdownStep {
  readonly name: string;
  /** How it ended; 'late' steps were left to themselves so that the others got their time. */
  readonly outcome: 'done' | 'failed' | 'late';
  readonly error?: unknown;
}

/**
 * Ends what was started, the last first, one after another, within a limit for all of them. A step that fails or takes too long keeps no other
 * from its turn: the database, started first, is always closed, and time for it is held back.
 */
export class Shutdown {
  readonly #steps: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
  readonly #ports: { readonly clock: Clock; readonly timers: Timers };
  readonly #limitMs: number;
  #run: Promise<readonly ShutdownStep[]> | undefined;

  constructor(ports: { readonly clock: Clock; readonly timers: Timers }, limitMs: number = limits.shutdownMs) {
    this.#ports = ports;
    this.#limitMs = limitMs;
  }

  add(name: string, stop: () => Promise<void>): void {
    if (this.#run !== undefined) throw new Error(`${name} was started while the server ends`);
    this.#steps.push({ name, stop });
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Resolves with how each step ended; never rejects. Further calls get the same promise. */
  run(): Promise<readonly ShutdownStep[]> {
    this.#run ??= this.#runAll();
    return this.#run;
  }

  async #runAll(): Promise<readonly ShutdownStep[]> {
    const endMs = this.#ports.clock.monotonicMs() + this.#limitMs;
    const outcomes: ShutdownStep[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const leftMs = endMs - this.#ports.clock.monotonicMs();
      // A share of what is left for each step behind this one, half of all of it at most.
      const heldBackMs = Math.min(leftMs / 2, (this.#steps.length * this.#limitMs) / 10);
      outcomes.push(await this.#stop(step.name, step.stop, Math.max(0, leftMs - heldBackMs)));
    }
    return outcomes;
  }

  async #stop(name: string, stop: () => Promise<void>, limitMs: number): Promise<ShutdownStep> {
    const late = Promise.withResolvers<ShutdownStep>();
    const timer = this.#ports.timers.after(limitMs, () => late.resolve({ name, outcome: 'late' }));
    const stopped = async (): Promise<ShutdownStep> => {
      try {
        await stop();
        return { name, outcome: 'done' };
      } catch (error) {
        return { name, outcome: 'failed', error };
      }
    };
    try {
      return await Promise.race([stopped(), late.promise]);
    } finally {
      timer.cancel();
    }
  }
}
