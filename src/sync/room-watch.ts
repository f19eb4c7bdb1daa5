/** Those who wait for the events of one room without being in it. */
import type { Commit } from '../storage/database.ts';

export class RoomWatch {
  readonly #waiting = new Map<number, Set<() => void>>();

  /** To be called for every commit. */
  onCommit({ wakes }: Commit): void {
    if (this.#waiting.size === 0) return;
    for (const wake of wakes) if (wake.kind === 'event' || wake.kind === 'rejudged') this.#wake(wake.room);
  }

  /** Called at the next event, at most once. The answer takes the call back. */
  onceChanged(room: number, run: () => void): () => void {
    const waiting = this.#waiting.get(room) ?? new Set();
    this.#waiting.set(room, waiting.add(run));
    return () => {
      waiting.delete(run);
      if (waiting.size === 0 && this.#waiting.get(room) === waiting) this.#waiting.delete(room);
    };
  }

  #wake(room: number): void {
    const waiting = this.#waiting.get(room);
    this.#waiting.delete(room);
    for (const run of waiting ?? []) run();
  }
}
