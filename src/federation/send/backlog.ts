/**
 * The events that one server is still to be sent. Those that have just happened wait in memory; beyond a bound, and for a server that cannot be
 * reached, memory is given up and they are found in the database when it is their turn.
 */
import { limits } from '../../platform/limits.ts';
import { type CatchUpParts, type CatchUpRange, type CaughtUpRoom, catchUp } from './catch-up.ts';
import type { OutgoingPdu } from './outgoing-pdu.ts';
import { RoomQueues } from './room-queues.ts';

/** Part of what is to be sent is in the database alone. */
interface Behind {
  /** Everything at or below it was sent. */
  readonly from: number;
  /** What comes after it is in memory. */
  readonly upTo: number;
  readonly rooms: readonly number[] | undefined;
  /** undefined: not begun. */
  steps: AsyncGenerator<CaughtUpRoom, void> | undefined;
  /** Of the room that was read last. */
  rest: OutgoingPdu[];
}

export interface BacklogParts extends CatchUpParts {
  committedPos(): number;
}

export class Backlog {
  readonly #parts: BacklogParts;
  readonly #server: Pick<CatchUpRange, 'serverNid' | 'name'>;
  readonly #queue = new RoomQueues();
  /** Positions of those that stand in a row of their own until they are sent. */
  readonly #targeted = new Set<number>();
  #behind: Behind | undefined;
  /** While catching up: memory had no room for what came after this position, which is caught up on next. */
  #lostAfter: number | undefined;

  constructor(parts: BacklogParts, server: Pick<CatchUpRange, 'serverNid' | 'name'>) {
    this.#parts = parts;
    this.#server = server;
  }

  get isEmpty(): boolean {
    return this.#behind === undefined && this.#queue.count === 0;
  }
  get isBehind(): boolean {
    return this.#behind !== undefined;
  }
  /** In memory. */
  get count(): number {
    return this.#queue.count + (this.#behind?.rest.length ?? 0);
  }
  /** Everything at or below it was taken; undefined: there is nothing. */
  get takenPos(): number | undefined {
    const queued = this.#queue.oldestPos();
    return this.#behind?.from ?? (queued === undefined ? undefined : queued - 1);
  }

  push(pdu: OutgoingPdu, isTargeted: boolean): void {
    if (this.#lostAfter !== undefined || pdu.pos <= (this.#behind?.upTo ?? 0)) return;
    this.#queue.add(pdu);
    if (isTargeted) this.#targeted.add(pdu.pos);
    if (this.#queue.count > limits.federationQueueEventsMax || this.#queue.bytes > limits.federationQueueBytesMax)
      this.#forgetQueue();
  }

  /** An event is not kept in memory. */
  miss(pos: number): void {
    if (this.#behind === undefined) this.fallBehind(this.takenPos ?? pos - 1);
    else if (pos > this.#behind.upTo) this.#lostAfter ??= this.#behind.upTo;
  }

  /** What the server missed after the position is looked for in these rooms, or in all. */
  fallBehind(from: number, rooms?: readonly number[]): void {
    const before = this.#behind;
    const isMore = before !== undefined && (before.rooms === undefined || rooms === undefined);
    const all =
      before === undefined ? rooms : isMore ? undefined : [...new Set([...(before.rooms ?? []), ...(rooms ?? [])])];
    this.#queue.clear();
    this.#lostAfter = undefined;
    const upTo = this.#parts.committedPos();
    this.#behind = { from: Math.min(from, before?.from ?? from), upTo, rooms: all, steps: undefined, rest: [] };
  }

  /** The next events in their order, at most so many; none only when there are none. */
  async take(countMax: number, bytesMax: number): Promise<OutgoingPdu[]> {
    const taken: OutgoingPdu[] = [];
    let bytes = 0;
    while (taken.length < countMax && this.#behind !== undefined) {
      const behind = this.#behind;
      const next = behind.rest[0];
      if (next === undefined) {
        if (!(await this.#readOn(behind)) && this.#behind === behind) this.#caughtUp();
        continue;
      }
      if (taken.length > 0 && bytes + next.text.length > bytesMax) return taken;
      behind.rest.shift();
      taken.push(next);
      bytes += next.text.length;
    }
    if (taken.length === countMax || bytes >= bytesMax) return taken;
    return [...taken, ...this.#queue.take(countMax - taken.length, bytesMax - bytes)];
  }

  /** Of events that were sent: positions of those whose rows are done with. */
  targetedAmong(pdus: readonly OutgoingPdu[]): number[] {
    const found: number[] = [];
    for (const { pos } of pdus) if (this.#targeted.delete(pos)) found.push(pos);
    return found;
  }

  /** false: that was all. */
  async #readOn(behind: Behind): Promise<boolean> {
    const { from, upTo, rooms } = behind;
    behind.steps ??= catchUp(this.#parts, { ...this.#server, from, upTo, rooms });
    const { done, value } = await behind.steps.next().catch((error: unknown) => {
      behind.steps = undefined;
      throw error;
    });
    if (done === true) return false;
    behind.rest = [...value.pdus];
    for (const pos of value.targeted) this.#targeted.add(pos);
    return true;
  }

  #caughtUp(): void {
    const lostAfter = this.#lostAfter;
    this.#behind = undefined;
    if (lostAfter !== undefined) this.fallBehind(lostAfter);
  }

  #forgetQueue(): void {
    const oldest = this.#queue.oldestPos();
    if (this.#behind === undefined) return this.fallBehind((oldest ?? this.#parts.committedPos() + 1) - 1);
    this.#lostAfter = this.#behind.upTo;
    this.#queue.clear();
  }
}
