/** Which lines of the state log were the main line of a room, kept in memory: they hardly ever change (R8, R11, R13). */
import { Lru } from '../../platform/lru.ts';
import type { Commit, Database } from '../../storage/database.ts';
import { mainsOfRoom, mainsOfRooms } from '../../storage/stores/state-line-store.ts';

declare module '../../storage/database.ts' {
  interface WakeKinds {
    /** From a position on, another line is a room's main line; or older ones were forgotten. */
    mainLineChanged: { readonly room: number };
  }
}

/** From which position on, oldest first. */
export type Mains = readonly { readonly from_pos: number; readonly line: number }[];

const roomsMax = 20_000;

export class MainLines {
  readonly #db: Database;
  readonly #rooms = new Lru<number, Mains>({ sizeMax: roomsMax });
  /** How often something changed: what was being read meanwhile may be older. */
  #changes = 0;

  constructor(db: Database) {
    this.#db = db;
    db.onCommitted((commit) => this.#onCommit(commit));
  }

  /** Empty where the room is not known. */
  async ofRoom(room: number): Promise<Mains> {
    const known = this.#rooms.find(room);
    if (known !== undefined) return known;
    const changes = this.#changes;
    const mains = await this.#db.all(mainsOfRoom, { room });
    if (mains.length > 0 && this.#changes === changes) this.#rooms.set(room, mains);
    return mains;
  }

  /** Those that are known. */
  async ofRooms(rooms: readonly number[]): Promise<ReadonlyMap<number, Mains>> {
    const found = new Map<number, Mains>();
    const missing: number[] = [];
    for (const room of rooms) {
      const known = this.#rooms.find(room);
      if (known === undefined) missing.push(room);
      else found.set(room, known);
    }
    if (missing.length === 0) return found;
    const changes = this.#changes;
    const rows = await this.#db.all(mainsOfRooms, { rooms: missing });
    for (const [room, mains] of Map.groupBy(rows, (row) => row.room)) {
      if (this.#changes === changes) this.#rooms.set(room, mains);
      found.set(room, mains);
    }
    return found;
  }

  #onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind !== 'mainLineChanged') continue;
      this.#changes += 1;
      this.#rooms.delete(wake.room);
    }
  }
}
