/** Those of a user's rooms that pass one filter, in the same order. Each room is asked when something about it changes. */
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { RoomStanding } from '../sync-user.ts';
import type { KnownRoomFacts } from './room-facts.ts';
import { RoomOrder } from './room-order.ts';
import type { RoomFilter } from './sliding-request.ts';
import type { UserRooms } from './user-rooms.ts';

/** Compared by identity. */
export type ListVersion = Readonly<Record<never, never>>;

export class FilteredRooms {
  readonly order = new RoomOrder();
  readonly filter: RoomFilter;
  /** Another one when a room comes in otherwise than by moving. */
  version: ListVersion = {};
  readonly #owner: UserRooms;
  readonly #rooms: RoomsContext;
  readonly #facts: KnownRoomFacts;
  readonly #unsure = new Set<number>();

  constructor(owner: UserRooms, rooms: RoomsContext, facts: KnownRoomFacts, filter: RoomFilter) {
    this.#owner = owner;
    this.#rooms = rooms;
    this.#facts = facts;
    this.filter = filter;
    this.recheckAll();
  }

  get isUnsure(): boolean {
    return this.#unsure.size > 0;
  }

  recheck(room: number): void {
    this.#unsure.add(room);
  }
  tagsChanged(room: number): void {
    if (this.filter.tags !== undefined || this.filter.notTags !== undefined) this.#unsure.add(room);
  }

  recheckAll(): void {
    for (const room of this.#owner.order) this.#unsure.add(room);
  }

  async settle(): Promise<void> {
    for (const room of this.#unsure) {
      this.#unsure.delete(room);
      const standing = this.#owner.user.rooms.get(room);
      const passes = standing !== undefined && this.#owner.order.has(room) && (await this.#passes(standing));
      // What changed meanwhile is asked again.
      if (this.#unsure.has(room)) continue;
      const activity = this.#owner.order.activityOf(room);
      if (!passes || activity === undefined) this.order.delete(room);
      else {
        if (!this.order.has(room)) this.version = {};
        this.order.put(room, activity);
      }
    }
  }

  async #passes(standing: RoomStanding): Promise<boolean> {
    const { filter } = this;
    const { room, membership } = standing;
    if (filter.isInvite !== undefined && filter.isInvite !== (membership === 'invite')) return false;
    if (filter.tags !== undefined || filter.notTags !== undefined) {
      const tags = await this.#owner.tagsOf(room);
      if (filter.notTags?.some((tag) => tags.has(tag)) === true) return false;
      if (filter.tags !== undefined && !filter.tags.some((tag) => tags.has(tag))) return false;
    }
    if (filter.isDm !== undefined || filter.spaces !== undefined) {
      const roomId = this.#owner.findRoomId(room);
      if (roomId === undefined) return false;
      if (filter.isDm !== undefined && filter.isDm !== (await this.#owner.directRooms()).has(roomId)) return false;
      if (filter.spaces !== undefined && !(await this.#isInOneOf(filter.spaces, roomId))) return false;
    }
    return this.#passesByFacts(standing);
  }

  async #passesByFacts(standing: RoomStanding): Promise<boolean> {
    const { isEncrypted, roomTypes, notRoomTypes, roomNameLike } = this.filter;
    const asked = [isEncrypted, roomTypes, notRoomTypes, roomNameLike];
    if (asked.every((each) => each === undefined)) return true;
    const facts = await this.#facts.of(this.#owner.user.userNid, standing);
    if (isEncrypted !== undefined && isEncrypted !== facts.isEncrypted) return false;
    if (roomTypes !== undefined && !roomTypes.includes(facts.type)) return false;
    if (notRoomTypes?.includes(facts.type) === true) return false;
    return roomNameLike === undefined || facts.name.toLowerCase().includes(roomNameLike.toLowerCase());
  }

  /** Of spaces that the user is not joined to nothing is known. */
  async #isInOneOf(spaces: readonly RoomId[], roomId: RoomId): Promise<boolean> {
    for (const spaceId of spaces) {
      const space = await this.#rooms.dags.find(spaceId);
      if (space === undefined || this.#owner.user.rooms.get(space.room)?.membership !== 'join') continue;
      if ((await this.#facts.childrenOf(space.room)).has(roomId)) return true;
    }
    return false;
  }
}
