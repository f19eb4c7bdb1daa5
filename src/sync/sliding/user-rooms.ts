/**
 * The rooms of one user as sliding sync orders them, and what is derived from that order: kept up to date by commits, so that
 * no request sorts them. https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md#lists
 */
import type { RoomId, UserId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { posAt } from '../../rooms/pagination-token.ts';
import { loadVisibility } from '../../rooms/visibility.ts';
import { accountData, noRoom } from '../../storage/stores/account-data-store.ts';
import {
  accountDataOfType,
  newestEventOf,
  roomActivities,
  standingSender,
} from '../../storage/stores/sliding-store.ts';
import { isFromIgnored } from '../ignored-senders.ts';
import type { ChangeKind, RoomFollower, RoomStanding, SyncUser } from '../sync-user.ts';
import { FilteredRooms, type ListVersion } from './filtered-rooms.ts';
import type { KnownRoomFacts } from './room-facts.ts';
import { RoomOrder } from './room-order.ts';
import type { RoomFilter } from './sliding-request.ts';

/** Filters whose rooms are kept; the one that was used last stays. */
const filtersMax = 200;

export class UserRooms implements RoomFollower {
  readonly user: SyncUser;
  readonly userId: UserId;
  /** Those that belong to the server's list. */
  readonly order = new RoomOrder();
  version: ListVersion = {};
  readonly #rooms: RoomsContext;
  readonly #facts: KnownRoomFacts;
  /** What happened in rooms, whether or not they are in the list yet. */
  readonly #activity = new Map<number, number>();
  readonly #roomIds = new Map<number, RoomId>();
  /** Rooms of which it must be found out whether they belong to the list. */
  readonly #unsure = new Set<number>();
  readonly #filtered = new Map<string, FilteredRooms>();
  /** undefined: to be read. */
  #direct: ReadonlySet<string> | undefined;
  #tags: Map<number, ReadonlySet<string>> | undefined;
  readonly #tagsUnsure = new Set<number>();
  #settling: Promise<void> | undefined;
  #dataVersion = 0;

  private constructor(rooms: RoomsContext, facts: KnownRoomFacts, user: SyncUser, userId: UserId) {
    this.#rooms = rooms;
    this.#facts = facts;
    this.user = user;
    this.userId = userId;
  }

  /** The user must be held by the request. */
  static async load(rooms: RoomsContext, facts: KnownRoomFacts, user: SyncUser, userId: UserId): Promise<UserRooms> {
    const loaded = new UserRooms(rooms, facts, user, userId);
    // What happens from here on is told to it.
    user.follower = loaded;
    const activities = await rooms.db.all(roomActivities, { user: user.userNid });
    for (const { room, room_id: roomId, ord } of activities) {
      loaded.#roomIds.set(room, roomId as RoomId);
      if (ord !== null) loaded.#happened(room, posAt(ord));
    }
    for (const { room, membership, pos } of user.rooms.values()) {
      if (membership !== 'join') loaded.#happened(room, pos);
      loaded.#unsure.add(room);
    }
    await loaded.settle([]);
    return loaded;
  }

  /** The rooms that pass the filter, as of the last `settle` with it. */
  filteredBy(filter: RoomFilter, key: string): Pick<FilteredRooms, 'order' | 'version'> {
    return key === '' ? this : this.#find(filter, key);
  }

  /** Finds out all that is not known yet of the list and of these filters. Whoever goes on at once finds it settled. */
  async settle(filters: readonly { readonly filter: RoomFilter; readonly key: string }[]): Promise<void> {
    const needed = filters.flatMap(({ filter, key }) => (key === '' ? [] : [this.#find(filter, key)]));
    while (this.#unsure.size > 0 || needed.some((filtered) => filtered.isUnsure)) {
      this.#settling ??= this.#settleOnce(needed).finally(() => (this.#settling = undefined));
      await this.#settling;
    }
  }

  /** The ids of the rooms that the user has as direct chats. */
  async directRooms(): Promise<ReadonlySet<string>> {
    while (this.#direct === undefined) {
      const version = this.#dataVersion;
      const row = await this.#rooms.db.one(accountData, { user: this.user.userNid, room: noRoom, type: 'm.direct' });
      if (version === this.#dataVersion) this.#direct = roomsIn(row?.json ?? '{}');
    }
    return this.#direct;
  }

  /** Of the rooms that are settled. */
  findRoomId(room: number): RoomId | undefined {
    return this.#roomIds.get(room);
  }

  async tagsOf(room: number): Promise<ReadonlySet<string>> {
    const { db } = this.#rooms;
    const user = this.user.userNid;
    if (this.#tags === undefined) {
      const tags = new Map<number, ReadonlySet<string>>();
      for (const row of await db.all(accountDataOfType, { user, type: 'm.tag' })) tags.set(row.room, tagsIn(row.json));
      this.#tags ??= tags;
    }
    while (this.#tagsUnsure.delete(room)) {
      const row = await db.one(accountData, { user, room, type: 'm.tag' });
      this.#tags.set(room, tagsIn(row?.json ?? null));
    }
    return this.#tags.get(room) ?? none;
  }

  roomChanged(room: number, kind: ChangeKind, pos: number): void {
    if (kind === 'eventPos') this.#happened(room, pos);
  }

  standingChanged(room: number): void {
    this.#unsure.add(room);
    const standing = this.user.rooms.get(room);
    if (standing !== undefined) this.#happened(room, standing.pos);
  }

  accountDataChanged(room: number): void {
    if (room === noRoom) {
      this.#dataVersion++;
      this.#direct = undefined;
      // Whose invites are taken is said there, too.
      this.ignoredChanged();
      for (const filtered of this.#filtered.values()) if (filtered.filter.isDm !== undefined) filtered.recheckAll();
    } else {
      this.#tagsUnsure.add(room);
      for (const filtered of this.#filtered.values()) filtered.tagsChanged(room);
    }
  }

  ignoredChanged(): void {
    for (const { room, membership } of this.user.rooms.values()) if (membership !== 'join') this.#unsure.add(room);
  }

  factsChanged(room: number, what: 'facts' | 'children'): void {
    for (const filtered of this.#filtered.values())
      if (what === 'facts') filtered.recheck(room);
      else if (filtered.filter.spaces !== undefined) filtered.recheckAll();
  }

  #happened(room: number, pos: number): void {
    const activity = Math.max(this.#activity.get(room) ?? 0, pos);
    this.#activity.set(room, activity);
    if (!this.order.has(room)) return;
    this.order.put(room, activity);
    for (const { order } of this.#filtered.values()) if (order.has(room)) order.put(room, activity);
  }

  #find(filter: RoomFilter, key: string): FilteredRooms {
    const known = this.#filtered.get(key);
    const filtered = known ?? new FilteredRooms(this, this.#rooms, this.#facts, filter);
    // The one that is used last is the last to go.
    this.#filtered.delete(key);
    this.#filtered.set(key, filtered);
    for (const oldest of this.#filtered.keys()) {
      if (this.#filtered.size <= filtersMax) break;
      this.#filtered.delete(oldest);
    }
    return filtered;
  }

  async #settleOnce(needed: readonly FilteredRooms[]): Promise<void> {
    for (const room of this.#unsure) {
      this.#unsure.delete(room);
      await this.#place(room);
    }
    for (const filtered of needed) await filtered.settle();
  }

  async #place(room: number): Promise<void> {
    if (!this.#roomIds.has(room)) this.#roomIds.set(room, (await this.#rooms.dags.openByNid(room)).roomId);
    const standing = this.user.rooms.get(room);
    const belongs = standing !== undefined && (standing.membership === 'join' || (await this.#belongs(standing)));
    if (this.#unsure.has(room)) return;
    // Whoever joins finds in the list what happened there before.
    if (belongs && standing.membership === 'join' && !this.#activity.has(room)) {
      const row = await this.#rooms.db.one(newestEventOf, { room });
      this.#happened(room, row?.ord == null ? standing.pos : posAt(row.ord));
    }
    const wasThere = this.order.has(room);
    if (belongs) {
      this.order.put(room, this.#activity.get(room) ?? standing.pos);
      if (!wasThere) this.version = {};
    } else this.order.delete(room);
    for (const filtered of this.#filtered.values()) filtered.recheck(room);
  }

  /** Of a room that the user is not joined to. Who left by themselves knows that; who was sent away may not. */
  async #belongs(standing: RoomStanding): Promise<boolean> {
    const { membership, room, isForgotten } = standing;
    const ignored = await this.#rooms.ignored.of({ userId: this.userId, userNid: this.user.userNid });
    const pos = this.#rooms.db.committedPos();
    const reader = { userId: this.userId, userNid: this.user.userNid };
    if (await isFromIgnored(this.#rooms, reader, ignored, standing, pos)) return false;
    if (membership === 'invite' || membership === 'knock') return true;
    if (isForgotten || (membership !== 'leave' && membership !== 'ban')) return false;
    const row = await this.#rooms.db.one(standingSender, { user: this.user.userNid, room });
    if (row === undefined || row.sender === this.user.userNid) return false;
    const { memberships } = await loadVisibility(this.#rooms, room, this.userId);
    return memberships.some(({ value }) => value === 'join');
  }
}

const none: ReadonlySet<string> = new Set();

function roomsIn(json: string): ReadonlySet<string> {
  const rooms = new Set<string>();
  for (const list of Object.values(JSON.parse(json) as JsonObject))
    if (Array.isArray(list)) for (const roomId of list) if (typeof roomId === 'string') rooms.add(roomId);
  return rooms;
}

function tagsIn(json: string | null): ReadonlySet<string> {
  const { tags } = JSON.parse(json ?? '{}') as JsonObject;
  return isJsonObject(tags) ? new Set(Object.keys(tags)) : none;
}
