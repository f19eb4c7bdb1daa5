/** The rooms that somebody may search, and what they may see of each. */
import type { RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { includesRoom } from '../matrix/filters/matches-filter.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import type { Actor, RoomsContext } from '../rooms/context.ts';
import { withFetched } from '../rooms/fetched-history.ts';
import { isVisible } from '../rooms/history-visibility.ts';
import { type ReadAccess, readAccess } from '../rooms/visibility.ts';
import { MatrixError } from '../matrix/errors.ts';
import { userRooms } from '../storage/stores/membership-store.ts';
import { roomIdsOf } from '../storage/stores/room-directory-store.ts';

type FoundEvent = Parameters<typeof withFetched>[2][number];

export class SearchedRooms {
  readonly #ctx: RoomsContext;
  readonly #actor: Actor;
  readonly #rooms: ReadonlySet<number>;
  readonly #access = new Map<number, ReadAccess | undefined>();

  private constructor(ctx: RoomsContext, actor: Actor, rooms: ReadonlySet<number>) {
    this.#ctx = ctx;
    this.#actor = actor;
    this.#rooms = rooms;
  }

  /** Those in which the user is or was and that they have not forgotten, as far as the filter has them. */
  static async load(ctx: RoomsContext, actor: Actor, filter: RoomEventFilter | undefined): Promise<SearchedRooms> {
    const rows = await ctx.db.all(userRooms, { user: actor.userNid });
    const been = rows.filter(({ membership, forgotten }) => forgotten === 0 && wasThere.has(membership));
    const rooms = been.map(({ room }) => room);
    if (rooms.length === 0 || (filter?.rooms === undefined && filter?.notRooms === undefined))
      return new SearchedRooms(ctx, actor, new Set(rooms));
    const named = await ctx.db.all(roomIdsOf, { rooms });
    const wanted = named.filter(({ room_id: roomId }) => includesRoom(filter, roomId as RoomId));
    return new SearchedRooms(ctx, actor, new Set(wanted.map(({ room }) => room)));
  }

  only(room: number): SearchedRooms {
    return new SearchedRooms(this.#ctx, this.#actor, new Set(this.#rooms.has(room) ? [room] : []));
  }

  get size(): number {
    return this.#rooms.size;
  }
  get all(): readonly number[] {
    return [...this.#rooms];
  }

  has(room: number): boolean {
    return this.#rooms.has(room);
  }

  /** Whether the user may see an event of a room whose access was loaded. */
  sees(room: number, pos: number | null): boolean {
    const access = this.#access.get(room);
    return pos !== null && access !== undefined && isVisible(access.timeline, pos);
  }

  /** For `sees`. */
  async loadAccessTo(events: readonly (FoundEvent & { readonly room: number })[]): Promise<void> {
    for (const [room, ofRoom] of Map.groupBy(events, (event) => event.room)) {
      const access = await this.accessTo(room);
      if (access === undefined) continue;
      const timeline = await withFetched(this.#ctx, access.timeline, ofRoom);
      if (timeline !== access.timeline) this.#access.set(room, { ...access, timeline });
    }
  }

  /** undefined: none, for example because they were only ever invited. */
  async accessTo(room: number): Promise<ReadAccess | undefined> {
    if (this.#access.has(room)) return this.#access.get(room);
    const access = await readAccess(this.#ctx, room, this.#actor.userId).catch((error: unknown) => {
      if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return undefined;
      throw error;
    });
    this.#access.set(room, access);
    return access;
  }
}

const wasThere: ReadonlySet<string> = new Set(['join', 'leave', 'ban']);
