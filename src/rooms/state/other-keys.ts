/**
 * Which state keys a room has that are no memberships, in memory: a client that loads members lazily is told the rest of the
 * state of a large room, and that must not take a look at every member.
 */
import { Lru } from '../../platform/lru.ts';
import type { Commit, Database } from '../../storage/database.ts';
import type { Names, StateKey } from '../../storage/names.ts';
import { otherKeysOfRoom, otherKeysOfRooms } from '../../storage/stores/state-line-store.ts';

/** All that its current state ever had: some may be absent by now. */
interface RoomKeys {
  readonly skeys: Set<number>;
  /** Seen in a commit, and perhaps not among `skeys` yet. */
  readonly seen: Map<string, StateKey>;
}

/** Of all rooms together. */
const keysMax = 1_000_000;
/** Where more was seen than this since the room was asked for, it is read anew. */
const seenMax = 1_000;

export class OtherKeys {
  readonly #db: Database;
  readonly #names: Pick<Names, 'findSkeys'>;
  readonly #rooms = new Lru<number, RoomKeys>({ sizeMax: keysMax, sizeOf: ({ skeys }) => skeys.size + 10 });
  /** How often something changed: what was being read meanwhile may be older. */
  #changes = 0;

  constructor(db: Database, names: Pick<Names, 'findSkeys'>) {
    this.#db = db;
    this.#names = names;
    db.onCommitted((commit) => this.#onCommit(commit));
  }

  /** Interned keys. The first time of a room in memory this reads every key that the room ever had. */
  async of(room: number): Promise<readonly number[]> {
    const keys = this.#rooms.find(room) ?? (await this.#load(room));
    const seen = [...keys.seen];
    for (const skey of await this.#names.findSkeys(seen.map(([, key]) => key)))
      if (skey !== undefined) keys.skeys.add(skey);
    for (const [text] of seen) keys.seen.delete(text);
    return [...keys.skeys];
  }

  /** Reads of many rooms together what is not in memory, for whoever asks room by room right after. */
  async prepare(rooms: readonly number[]): Promise<void> {
    const missing = rooms.filter((room) => !this.#rooms.has(room));
    if (missing.length === 0) return;
    const changes = this.#changes;
    const rows = Map.groupBy(await this.#db.all(otherKeysOfRooms, { rooms: missing }), (row) => row.room);
    if (this.#changes !== changes) return;
    for (const room of missing) this.#rooms.set(room, keysOf(rows.get(room) ?? []));
  }

  async #load(room: number): Promise<RoomKeys> {
    const changes = this.#changes;
    const keys = keysOf(await this.#db.all(otherKeysOfRoom, { room }));
    if (this.#changes === changes) this.#rooms.set(room, keys);
    return keys;
  }

  #onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind === 'mainLineChanged' || wake.kind === 'rejudged') this.#forget(wake.room);
      else if (wake.kind !== 'event') continue;
      else if (wake.otherStateChanged) this.#forget(wake.room);
      else if (wake.event.stateKey !== undefined && wake.event.type !== 'm.room.member')
        this.#see(wake.room, { type: wake.event.type, key: wake.event.stateKey });
    }
  }

  #see(room: number, key: StateKey): void {
    this.#changes += 1;
    const keys = this.#rooms.find(room);
    keys?.seen.set(`${key.type}\0${key.key}`, key);
    if (keys !== undefined && keys.seen.size > seenMax) this.#forget(room);
  }

  #forget(room: number): void {
    this.#changes += 1;
    this.#rooms.delete(room);
  }
}

const keysOf = (rows: readonly { readonly skey: number }[]): RoomKeys => ({
  skeys: new Set(rows.map(({ skey }) => skey)),
  seen: new Map(),
});
