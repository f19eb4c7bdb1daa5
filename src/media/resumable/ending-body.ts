import type { TimerHandle, Timers } from '../../platform/ports.ts';
import type { PartBody } from './receive-part.ts';

/**
 * A body that is ended because a later request came: what has arrived of it already, and only waits to be read, is taken before
 * the connection is cut, so that nobody has to send it again.
 */
export class EndingBody implements PartBody {
  readonly #body: PartBody;
  readonly #timers: Timers;
  #quiet: TimerHandle | undefined;
  #last: TimerHandle | undefined;
  #isOver = false;

  constructor(body: PartBody, timers: Timers) {
    this.#body = body;
    this.#timers = timers;
  }

  async *chunks(): AsyncGenerator<Buffer, void> {
    try {
      for await (const chunk of this.#body.chunks()) {
        if (this.#last !== undefined) this.#waitForQuiet();
        yield chunk;
      }
    } finally {
      this.#isOver = true;
      this.#quiet?.cancel();
      this.#last?.cancel();
    }
  }

  cut(): void {
    this.#body.cut();
  }

  /** Cuts when nothing more comes for a moment, or in a little while in any case. */
  end(): void {
    if (this.#last !== undefined || this.#isOver) return;
    this.#last = this.#timers.after(lastMs, () => this.cut());
    this.#waitForQuiet();
  }

  #waitForQuiet(): void {
    this.#quiet?.cancel();
    this.#quiet = this.#timers.after(quietMs, () => this.cut());
  }
}

const quietMs = 100;
const lastMs = 2_000;
