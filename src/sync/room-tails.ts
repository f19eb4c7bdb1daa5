/**
 * The newest events of rooms that somebody follows, in memory: a room's news are read once, not once per member.
 */
import { Lru } from '../platform/lru.ts';
import type { Commit } from '../storage/database.ts';
import type { TimelineEntry } from '../rooms/event-effects.ts';

/** Everything that happened in a room's timeline after `fromPos`, oldest first. */
export interface RoomTail {
  fromPos: number;
  readonly entries: TimelineEntry[];
}

const tailEntriesMax = 50;
const roomsMax = 20_000;

export class RoomTails {
  readonly #tails = new Lru<number, RoomTail>({ sizeMax: roomsMax });
  /** Tails that start now start here: commits before it were not seen. */
  #pos: number;

  constructor(pos: number) {
    this.#pos = pos;
  }

  /** To be called for every commit, in order. */
  onCommit(commit: Commit): void {
    for (const wake of commit.wakes) {
      if (wake.kind === 'event') this.#append(wake);
    }
    this.#pos = commit.pos;
  }

  /** Events of the room after a position; undefined: they are not all in memory. */
  after(room: number, pos: number): readonly TimelineEntry[] | undefined {
    const tail = this.#tails.find(room);
    if (tail === undefined || pos < tail.fromPos) return undefined;
    const first = tail.entries.findIndex((entry) => entry.pos > pos);
    return first < 0 ? [] : tail.entries.slice(first);
  }

  /** The newest event that is in memory. */
  newest(room: number): TimelineEntry | undefined {
    return this.#tails.find(room)?.entries.at(-1);
  }

  #append(entry: TimelineEntry): void {
    let tail = this.#tails.find(entry.room);
    // What came in this room since the last commit that was seen is this entry and nothing else.
    if (tail === undefined) {
      tail = { fromPos: this.#pos, entries: [] };
      this.#tails.set(entry.room, tail);
    }
    tail.entries.push(entry);
    if (tail.entries.length <= tailEntriesMax) return;
    const dropped = tail.entries.shift();
    if (dropped !== undefined) tail.fromPos = dropped.pos;
  }
}
