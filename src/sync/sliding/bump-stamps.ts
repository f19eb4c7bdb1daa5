/** When something was last said in a room: the position of its newest event of the types that count as that. */
import { Lru } from '../../platform/lru.ts';
import { firstOrdAfter, posAt } from '../../rooms/pagination-token.ts';
import type { Commit, Database } from '../../storage/database.ts';
import { eventTypesBackwards, newestEventTypes } from '../../storage/stores/sliding-store.ts';

const bumpTypes = new Set([
  'm.room.create',
  'm.room.message',
  'm.room.encrypted',
  'm.sticker',
  'm.call.invite',
  'm.poll.start',
  'org.matrix.msc3381.poll.start',
  'm.beacon_info',
  'org.matrix.msc3672.beacon_info',
]);

export const isBump = (type: string): boolean => bumpTypes.has(type);

const roomsMax = 50_000;
/** Events that are looked through for one; behind more that do not count, the room is as old as the last of them. */
const slices = [10, 100, 1_000, 10_000] as const;

export class BumpStamps {
  readonly #db: Database;
  readonly #stamps = new Lru<number, number>({ sizeMax: roomsMax });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** To be called for every commit, in order. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind === 'rejudged' || wake.kind === 'historyPurged') {
        this.#version++;
        this.#stamps.delete(wake.room);
      }
      if (wake.kind !== 'event' || !isBump(wake.event.type)) continue;
      this.#version++;
      if (this.#stamps.has(wake.room)) this.#stamps.set(wake.room, posAt(wake.ord));
    }
  }

  /** Reads of many rooms together what is not known, for whoever asks room by room right after. */
  async prepare(all: readonly number[]): Promise<void> {
    const rooms = all.filter((room) => !this.#stamps.has(room));
    if (rooms.length === 0) return;
    const version = this.#version;
    const [limit] = slices;
    const rows = Map.groupBy(await this.#db.all(newestEventTypes, { rooms, limit }), (row) => row.room);
    if (version !== this.#version) return;
    for (const [room, newest] of rows) {
      const found = newest.find(({ type }) => isBump(type));
      if (found !== undefined) this.#stamps.set(room, posAt(found.ord));
    }
  }

  /** As of the newest commit. */
  async of(room: number): Promise<number> {
    const known = this.#stamps.find(room);
    if (known !== undefined) return known;
    const version = this.#version;
    const stamp = await this.#before(room, Number.MAX_SAFE_INTEGER);
    if (version === this.#version) this.#stamps.set(room, stamp);
    return stamp;
  }

  /** As of a position. */
  async at(room: number, pos: number): Promise<number> {
    const newest = await this.of(room);
    return newest <= pos ? newest : this.#before(room, firstOrdAfter(pos));
  }

  async #before(room: number, ord: number): Promise<number> {
    let before = ord;
    for (const limit of slices) {
      const rows = await this.#db.all(eventTypesBackwards, { room, before, limit });
      const found = rows.find(({ type }) => isBump(type));
      before = found?.ord ?? rows.at(-1)?.ord ?? before;
      if (found !== undefined || rows.length < limit) break;
    }
    return before === Number.MAX_SAFE_INTEGER ? 0 : posAt(before);
  }
}
