/**
 * Tells changes of presence at a bounded cost: not more often than once in `presenceFlushMs`, and not more than
 * `presenceTellingsPerSecond` in the long run, where telling one change to one user counts one. Who changes back before they
 * were told of was never away. What has to wait is told later, as it is then; nothing is lost
 * (docs/decisions/0012-presence.md).
 */
import { limits } from '../platform/limits.ts';
import type { Clock, TimerHandle, Timers } from '../platform/ports.ts';

/** Those who are to be told; `sync` implements it. */
export interface PresenceAudience {
  /** Resolves when it is known who shares rooms with the user, which it stays until `release`. */
  keep(userNid: number): Promise<void>;
  release(userNid: number): void;
  /** How many users are to be told of a change. Costs the number of the user's rooms. */
  reach(userNid: number): number;
}

export class Announcer {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #timers: Timers;
  readonly #tell: (userNids: readonly number[]) => void;
  #audience: PresenceAudience | undefined;
  readonly #waiting = new Set<number>();
  readonly #kept = new Set<number>();
  #timer: TimerHandle | undefined;
  #isTelling = false;
  #isClosed = false;
  #notBeforeMs = 0;

  constructor(
    clock: Pick<Clock, 'monotonicMs'>,
    timers: Timers,
    /** Is given users whose audience is known. */
    tell: (userNids: readonly number[]) => void,
  ) {
    this.#clock = clock;
    this.#timers = timers;
    this.#tell = tell;
  }

  /** Whether changes are being told at this moment. */
  get isTelling(): boolean {
    return this.#isTelling;
  }

  announceTo(audience: PresenceAudience): void {
    this.#audience = audience;
    this.#schedule();
  }

  changed(userNid: number): void {
    this.#waiting.add(userNid);
    this.#schedule();
  }

  /** Nobody will hear of the user until they come back. */
  forget(userNid: number): void {
    if (this.#kept.delete(userNid)) this.#audience?.release(userNid);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#isClosed || this.#isTelling || this.#timer !== undefined) return;
    if (this.#waiting.size === 0 || this.#audience === undefined) return;
    const delayMs = Math.max(0, this.#notBeforeMs - this.#clock.monotonicMs());
    this.#timer = this.#timers.after(delayMs, () => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    this.#isTelling = true;
    try {
      await this.#tellSome();
    } finally {
      this.#isTelling = false;
      this.#schedule();
    }
  }

  async #tellSome(): Promise<void> {
    const audience = this.#audience;
    if (audience === undefined) return;
    const told: number[] = [];
    const failed: number[] = [];
    let cost = 0;
    for (const userNid of this.#waiting) {
      this.#waiting.delete(userNid);
      if (!(await this.#keep(audience, userNid))) {
        failed.push(userNid);
        continue;
      }
      told.push(userNid);
      cost += 1 + audience.reach(userNid);
      if (cost >= limits.presenceTellingsPerSecond || told.length === usersPerTurn) break;
    }
    if (this.#isClosed) return;
    this.#tell(told);
    for (const userNid of failed) this.#waiting.add(userNid);
    const pauseMs = Math.max(limits.presenceFlushMs, (cost * 1_000) / limits.presenceTellingsPerSecond);
    this.#notBeforeMs = this.#clock.monotonicMs() + pauseMs;
  }

  /** false: the database does not say whose rooms these are. It is asked again. */
  async #keep(audience: PresenceAudience, userNid: number): Promise<boolean> {
    if (this.#kept.has(userNid)) return true;
    const isKept = await audience.keep(userNid).then(
      () => true,
      () => false,
    );
    if (isKept) this.#kept.add(userNid);
    return isKept;
  }
}

/** Looked at in one go, also where nobody is to be told. */
const usersPerTurn = 500;
