/** What one user who syncs has yet to be told of the presence of others: the newest changes, and since when they are all here. */
import type { ToldPresence } from '../presence/presence-state.ts';
import { limits } from '../platform/limits.ts';

export class PresenceMarks {
  /** The user's own presence, as others were told. */
  told: ToldPresence | undefined;
  /** Users and positions by turns, positions ascending. Complete above `#floorPos`. */
  #marks: number[] = [];
  #floorPos: number;

  constructor(floorPos: number) {
    this.#floorPos = floorPos;
  }

  /** false: that was known already. */
  mark(userNid: number, pos: number): boolean {
    const marks = this.#marks;
    if (marks.length > 0 && marks.at(-1) === pos && marks.at(-2) === userNid) return false;
    marks.push(userNid, pos);
    if (marks.length > limits.presenceMarksMax * 2) this.#forgetOlderHalf();
    return true;
  }

  /** What came up to a position is not all known. */
  raiseFloor(pos: number): void {
    this.#floorPos = Math.max(this.#floorPos, pos);
  }

  /** Whose presence is news in (since, until], with the position of the newest of it; undefined: that is not known. */
  between(since: number, until: number): ReadonlyMap<number, number> | undefined {
    if (since < this.#floorPos) return undefined;
    const marks = this.#marks;
    const users = new Map<number, number>();
    for (let at = marks.length; at > 0 && marks[at - 1]! > since; at -= 2) {
      const [userNid, pos] = [marks[at - 2]!, marks[at - 1]!];
      if (pos <= until && !users.has(userNid)) users.set(userNid, pos);
    }
    return users;
  }

  #forgetOlderHalf(): void {
    const kept = limits.presenceMarksMax;
    this.raiseFloor(this.#marks[this.#marks.length - kept - 1] ?? 0);
    this.#marks = this.#marks.slice(-kept);
  }
}
