/**
 * Who was seen online, written down every few minutes as one row and at a shutdown: after a restart, those of them who do not
 * come back are told to have gone.
 */
import { limits } from '../platform/limits.ts';
import type { TimerHandle, Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import { findServerFact, setServerFact } from '../storage/server-facts.ts';

export class LastConnected {
  readonly #db: Database;
  readonly #timers: Timers;
  readonly #current: () => readonly number[];
  #timer: TimerHandle | undefined;

  constructor(db: Database, timers: Timers, current: () => readonly number[]) {
    this.#db = db;
    this.#timers = timers;
    this.#current = current;
  }

  async load(): Promise<readonly number[]> {
    const text = await findServerFact(this.#db, factName);
    return text === undefined ? [] : (JSON.parse(text) as number[]);
  }

  changed(): void {
    this.#timer ??= this.#timers.after(limits.presenceNoteMs, () => {
      // What was not written is overtaken by the next time: a failure costs nothing.
      void this.write().catch(() => undefined);
    });
  }

  /** Writes what changed since it was last written. */
  async write(): Promise<void> {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    await setServerFact(this.#db, factName, JSON.stringify(this.#current()));
  }
}

const factName = 'presence.connected';
