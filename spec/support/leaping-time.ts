import { systemClock } from '../../src/platform/clock.ts';
import type { Clock, TimerHandle, Timers } from '../../src/platform/ports.ts';
import { systemTimers } from '../../src/platform/timers.ts';

interface Waiting {
  readonly dueMs: number;
  readonly run: () => void;
  armed: TimerHandle;
}

/** Time that passes as it does, for servers that really talk to each other, and that a test can make leap: what was to come later comes now. */
export class LeapingTime implements Clock, Timers {
  #leaptMs = 0;
  readonly #waiting = new Set<Waiting>();

  nowMs(): number {
    return systemClock.nowMs() + this.#leaptMs;
  }
  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#leaptMs;
  }

  after(delayMs: number, run: () => void): TimerHandle {
    const dueMs = this.monotonicMs() + delayMs;
    const waiting: Waiting = { dueMs, run, armed: this.#arm(() => waiting, dueMs) };
    this.#waiting.add(waiting);
    return {
      cancel: () => {
        waiting.armed.cancel();
        this.#waiting.delete(waiting);
      },
    };
  }
  soon(run: () => void): void {
    systemTimers.soon(run);
  }
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  leap(ms: number): void {
    this.#leaptMs += ms;
    for (const waiting of this.#waiting) {
      waiting.armed.cancel();
      waiting.armed = this.#arm(() => waiting, waiting.dueMs);
    }
  }

  #arm(waiting: () => Waiting, dueMs: number): TimerHandle {
    return systemTimers.after(Math.max(0, dueMs - this.monotonicMs()), () => {
      this.#waiting.delete(waiting());
      waiting().run();
    });
  }
}
