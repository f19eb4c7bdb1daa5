/**
 * Which keys the state of a room has beside its members: what a wildcard stands for. Found once per room by going through its
 * state, and kept up to date by what happens, so that no later request grows with the members.
 */
import { Lru } from '../../platform/lru.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { Commit } from '../../storage/database.ts';
import type { StateKey } from '../../storage/names.ts';

const keysMax = 1_000_000;

/** Keys that the state has, or has had; by type and key. */
type RoomKeys = Map<string, StateKey>;

export class KnownStateKeys {
  readonly #rooms: RoomsContext;
  readonly #keys = new Lru<number, RoomKeys>({ sizeMax: keysMax, sizeOf: (keys) => keys.size + 4 });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;

  constructor(rooms: RoomsContext) {
    this.#rooms = rooms;
  }

  /** To be called for every commit, in order. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind === 'rejudged') this.#drop(wake.room);
      if (wake.kind !== 'event') continue;
      const { type, stateKey } = wake.event;
      if (wake.otherStateChanged) this.#drop(wake.room);
      else if (stateKey !== undefined && type !== 'm.room.member') this.#add(wake.room, { type, key: stateKey });
    }
  }

  /** Members aside. */
  async of(room: number): Promise<Iterable<StateKey>> {
    const known = this.#keys.find(room);
    if (known !== undefined) return known.values();
    const version = this.#version;
    const state = await this.#rooms.states.stateAt(room, this.#rooms.db.committedPos());
    const keys: RoomKeys = new Map();
    for (const key of await this.#rooms.names.stateKeysOf([...state.keys()]))
      if (key.type !== 'm.room.member') keys.set(nameOf(key), key);
    if (version === this.#version) this.#keys.set(room, keys);
    return keys.values();
  }

  #add(room: number, key: StateKey): void {
    this.#version++;
    const keys = this.#keys.find(room);
    const name = nameOf(key);
    if (keys === undefined || keys.has(name)) return;
    keys.set(name, key);
    this.#keys.set(room, keys);
  }

  #drop(room: number): void {
    this.#version++;
    this.#keys.delete(room);
  }
}

const nameOf = ({ type, key }: StateKey): string => JSON.stringify([type, key]);
