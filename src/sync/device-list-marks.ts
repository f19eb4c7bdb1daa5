/** What one user who syncs has yet to be told of the device lists of others: the newest changes, and since when they are all here. */
import { limits } from '../platform/limits.ts';

/**
 * changed: the keys of a user did. met, parted: a user came into, or left, a room in which this one is. entered, quit: this
 * user came into, or left, a room.
 */
export type DeviceListMark = (typeof kinds)[number];
const kinds = ['changed', 'met', 'parted', 'entered', 'quit'] as const;

export class DeviceListMarks {
  /** Kind, user or room, and position by turns; positions ascending. Complete above `#floorPos`. */
  #marks: number[] = [];
  #floorPos: number;

  constructor(floorPos: number) {
    this.#floorPos = floorPos;
  }

  /** `nid`: of the user, or of the room where it was entered or quit. */
  mark(kind: DeviceListMark, nid: number, pos: number): void {
    const marks = this.#marks;
    const code = kinds.indexOf(kind);
    let at = marks.length;
    // What was held up until it was known whom it concerns takes its place.
    while (at > 0 && marks[at - 1]! > pos) at -= fields;
    if (at > 0 && marks[at - 1] === pos && marks[at - 2] === nid && marks[at - 3] === code) return;
    if (at === marks.length) marks.push(code, nid, pos);
    else marks.splice(at, 0, code, nid, pos);
    if (marks.length > limits.deviceListMarksMax * 2 * fields) this.#forgetOlderHalf();
  }

  /** What came up to a position is not all known. */
  raiseFloor(pos: number): void {
    this.#floorPos = Math.max(this.#floorPos, pos);
  }

  isKnownAfter(since: number): boolean {
    return since >= this.#floorPos;
  }

  /** Whether something is known to have happened after a position. */
  hasAnyAfter(since: number): boolean {
    const marks = this.#marks;
    return marks.length > 0 && marks[marks.length - 1]! > since;
  }

  /** In (since, until]. Complete only where it is known. */
  *between(since: number, until: number): Iterable<{ kind: DeviceListMark; nid: number; pos: number }> {
    const marks = this.#marks;
    for (let at = marks.length; at > 0 && marks[at - 1]! > since; at -= fields)
      if (marks[at - 1]! <= until) yield { kind: kinds[marks[at - 3]!]!, nid: marks[at - 2]!, pos: marks[at - 1]! };
  }

  #forgetOlderHalf(): void {
    const kept = limits.deviceListMarksMax * fields;
    this.raiseFloor(this.#marks[this.#marks.length - kept - 1] ?? 0);
    this.#marks = this.#marks.slice(-kept);
  }
}

const fields = 3;
