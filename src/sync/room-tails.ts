/**
 * The newest events of rooms that somebody follows, in memory: a room's news are read once, not once per member.
 */
import { Lru } from '../platform/lru.ts';
import type { Commit } from '../storage/database.ts';
import type { TimelineEntry } from '../rooms/event-effects.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';

/** Everything that happened in a room's timeline after `fromPos`, oldest first. */
interface RoomTail {
  fromPos: number;
  readonly entries: TimelineEntry[];
}

const tailEntriesMax = 50;
const tailsMax = 20_000;

export class RoomTails {
  readonly #tails: Lru<number, RoomTail>;
  /** Tails that start now start here: commits before it were not seen. */
  #pos: number;
  /** Rooms whose tail gave way during the commit that is being told. */
  readonly #evicted = new Set<number>();

  constructor(pos: number, options: { readonly tailsMax?: number } = {}) {
    this.#pos = pos;
    this.#tails = new Lru({
      sizeMax: options.tailsMax ?? tailsMax,
      onEvicted: (room) => void this.#evicted.add(room),
    });
  }

  /** To be called for every commit, in order. */
  onCommit(commit: Commit): void {
    for (const wake of commit.wakes) {
      if (wake.kind === 'event') this.#append(wake);
      else if (wake.kind === 'redaction') this.#replace(wake.room, wake.nid, wake.redacted);
      else if (wake.kind === 'historyPurged') this.#forget(wake.room, wake.cutPos);
      else if (wake.kind === 'rejudged') this.#drop(wake.room);
      else if (wake.kind === 'history') this.#makeRoom(wake.room, wake.ord);
    }
    this.#pos = commit.pos;
    this.#evicted.clear();
  }

  /** Events of the room after a position; undefined: they are not all in memory. */
  after(room: number, pos: number): readonly TimelineEntry[] | undefined {
    const tail = this.#tails.find(room);
    if (tail === undefined || pos < tail.fromPos) return undefined;
    const first = tail.entries.findIndex((entry) => entry.pos > pos);
    return first < 0 ? [] : tail.entries.slice(first);
  }

  /** How many events the default push rules notified for up to a position; undefined: it is not in memory. */
  notifySeqAt(room: number, pos: number): number | undefined {
    return this.#tails.find(room)?.entries.findLast((entry) => entry.pos <= pos)?.notifySeq;
  }

  #append(entry: TimelineEntry): void {
    let tail = this.#tails.find(entry.room);
    if (tail === undefined) {
      // What came in this room since the last commit that was seen is this entry and nothing else.
      tail = { fromPos: this.#evicted.has(entry.room) ? entry.pos - 1 : this.#pos, entries: [] };
      this.#tails.set(entry.room, tail);
    }
    tail.entries.push(entry);
    if (tail.entries.length <= tailEntriesMax) return;
    const dropped = tail.entries.shift();
    if (dropped !== undefined) tail.fromPos = dropped.pos;
  }

  /** Its timeline changed otherwise than by what is told of. */
  #drop(room: number): void {
    this.#tails.delete(room);
    this.#evicted.add(room);
  }

  /** An event came to stand among those of the tail. */
  #makeRoom(room: number, ord: number): void {
    const tail = this.#tails.find(room);
    if (tail !== undefined && ord >= firstOrdAfter(tail.fromPos)) this.#drop(room);
  }

  #forget(room: number, cutPos: number): void {
    const tail = this.#tails.find(room);
    if (tail === undefined) return;
    const first = tail.entries.findIndex((entry) => entry.pos >= cutPos);
    const forgotten = tail.entries.splice(0, first < 0 ? tail.entries.length : first);
    tail.fromPos = Math.max(tail.fromPos, forgotten.at(-1)?.pos ?? 0);
  }

  /** Filters look at the entry's own event; its text is made anew from the database. */
  #replace(room: number, nid: number, event: TimelineEntry['event']): void {
    const entries = this.#tails.find(room)?.entries ?? [];
    const index = entries.findIndex((entry) => entry.nid === nid);
    const entry = entries[index];
    if (entry !== undefined) entries[index] = { ...entry, event };
  }
}
