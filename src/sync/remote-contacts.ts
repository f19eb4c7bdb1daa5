/**
 * Users of other servers whose presence is told here, with their rooms. They do not sync, so nothing that happens in a room costs
 * anything for them.
 */
import type { ToldPresence } from '../presence/presence-state.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import { joinedRoomsOf } from '../storage/stores/member-room-store.ts';

export interface RemoteContact {
  readonly userNid: number;
  /** With the position since when they are there, 0 where that is not known. */
  readonly rooms: Map<number, number>;
  readonly presence: { told: ToldPresence | undefined };
}

export class RemoteContacts {
  readonly #db: Pick<Database, 'all'>;
  readonly #kept = new Map<number, RemoteContact>();
  readonly #inRoom = new Map<number, Set<RemoteContact>>();
  /** Rooms that were left while they were being read, by user. */
  readonly #reading = new Map<number, Set<number>>();
  /** Those who were told to have gone. */
  readonly #gone: Lru<number, RemoteContact>;

  /** `onForgotten`: of what was told of somebody it is not known any more who has heard it. */
  constructor(db: Pick<Database, 'all'>, onForgotten: (told: ToldPresence) => void) {
    this.#db = db;
    this.#gone = new Lru({
      sizeMax: limits.presenceAbsencesMax,
      onEvicted: (_, { presence: { told } }) => {
        if (told !== undefined) onForgotten(told);
      },
    });
  }

  /** Resolves when it is known in which rooms the user is, which it stays until `release`. */
  async keep(userNid: number): Promise<void> {
    if (this.#kept.has(userNid)) return;
    const told = this.#gone.find(userNid)?.presence.told;
    const contact: RemoteContact = { userNid, rooms: new Map(), presence: { told } };
    this.#gone.delete(userNid);
    // From now on it hears of rooms that are entered and left; what was read then is older.
    this.#kept.set(userNid, contact);
    const left = new Set<number>();
    this.#reading.set(userNid, left);
    try {
      const rows = await this.#db.all(joinedRoomsOf, { user: userNid, limit: limits.remoteContactRoomsMax });
      for (const { room } of rows) if (!contact.rooms.has(room) && !left.has(room)) this.#enter(contact, room, 0);
    } finally {
      this.#reading.delete(userNid);
    }
  }

  release(userNid: number): void {
    const contact = this.#kept.get(userNid);
    if (contact === undefined) return;
    this.#kept.delete(userNid);
    // That they have gone is told after this, so it stays known where they were.
    for (const room of contact.rooms.keys()) this.#notIn(contact, room);
    this.#gone.set(userNid, contact);
  }

  /** Those who are kept, and those who were told to have gone lately. */
  find(userNid: number): RemoteContact | undefined {
    return this.#kept.get(userNid) ?? this.#gone.find(userNid);
  }
  isKept(userNid: number): boolean {
    return this.#kept.has(userNid);
  }
  /** Those who are kept and joined. */
  in(room: number): ReadonlySet<RemoteContact> {
    return this.#inRoom.get(room) ?? nobody;
  }

  membershipChanged(userNid: number, room: number, membership: string, pos: number): void {
    const contact = this.#kept.get(userNid);
    if (contact === undefined) return;
    if (membership === 'join') this.#enter(contact, room, pos);
    else {
      this.#reading.get(userNid)?.add(room);
      this.#leave(contact, room);
    }
  }

  #enter(contact: RemoteContact, room: number, pos: number): void {
    contact.rooms.set(room, pos);
    const others = this.#inRoom.get(room);
    if (others === undefined) this.#inRoom.set(room, new Set([contact]));
    else others.add(contact);
  }

  #leave(contact: RemoteContact, room: number): void {
    contact.rooms.delete(room);
    this.#notIn(contact, room);
  }

  #notIn(contact: RemoteContact, room: number): void {
    const others = this.#inRoom.get(room);
    others?.delete(contact);
    if (others?.size === 0) this.#inRoom.delete(room);
  }
}

const nobody: ReadonlySet<RemoteContact> = new Set();
