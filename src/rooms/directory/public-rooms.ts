/** The published room directory. https://spec.matrix.org/v1.19/client-server-api/#published-room-directory */
import { forbidden, invalidParam } from '../../matrix/errors.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { publishedRoom } from '../../storage/stores/room-directory-store.ts';
import type { Actor, RoomsContext } from '../context.ts';
import { maySendState } from '../power.ts';
import { directoryEventType } from './aliases.ts';
import { directoryPage, formatNextToken, formatPreviousToken, parseDirectoryToken } from './directory-order.ts';
import { type PublishedRoom, type PublishedRooms, setPublished } from './published-rooms.ts';
import { type RoomSummary, loadRoomSummaries } from './room-summary.ts';
import { searchTermOf } from './search-text.ts';

export interface PublicRoomsQuery {
  /** Absent: this server. */
  readonly server?: string | undefined;
  /** Absent or 0: the default. */
  readonly limit?: number | undefined;
  readonly since?: string | undefined;
  readonly searchTerm?: string | undefined;
  /** null: rooms without a type. */
  readonly roomTypes?: readonly (string | null)[] | undefined;
  readonly includeAllNetworks?: boolean;
  readonly thirdPartyInstanceId?: string | undefined;
}

/** A wire object. */
export type PublicRooms = {
  readonly chunk: readonly RoomSummary[];
  readonly next_batch?: string;
  readonly prev_batch?: string;
  readonly total_room_count_estimate: number;
};

/**
 * `GET` and `POST /publicRooms`.
 * Errors: M_INVALID_PARAM (since, or a network beside all networks), M_FORBIDDEN for another server, which is not asked yet.
 */
export async function listPublicRooms(
  ctx: RoomsContext,
  published: PublishedRooms,
  query: PublicRoomsQuery,
): Promise<PublicRooms> {
  if (query.server !== undefined && !ctx.localServers.isLocal(query.server))
    throw forbidden(`This server does not ask ${query.server} for its rooms`);
  if (query.thirdPartyInstanceId !== undefined && query.includeAllNetworks === true)
    throw invalidParam('third_party_instance_id cannot stand beside include_all_networks');
  const cursor = query.since === undefined ? undefined : parseDirectoryToken(query.since);
  if (query.since !== undefined && cursor === undefined)
    throw invalidParam('since is not a token of this server’s directory');
  // Rooms of other networks are published by application services, of which there are none.
  const order = query.thirdPartyInstanceId === undefined ? await published.inOrder() : [];
  const limit = Math.min(query.limit || limits.publicRoomsDefault, limits.publicRoomsMax);
  const page = directoryPage(order, cursor, limit, filterOf(query));
  const total = order.length;
  return {
    chunk: await summariesOf(ctx, page.entries),
    ...(page.next === undefined ? {} : { next_batch: formatNextToken(page.next) }),
    ...(page.previous === undefined ? {} : { prev_batch: formatPreviousToken(page.previous) }),
    total_room_count_estimate: total,
  };
}

function filterOf({ searchTerm, roomTypes }: PublicRoomsQuery): (room: PublishedRoom) => boolean {
  const term = searchTermOf(searchTerm);
  const types = roomTypes === undefined ? undefined : new Set(roomTypes);
  return (room) =>
    (types === undefined || types.has(room.roomType)) && (term === undefined || room.searchText.includes(term));
}

async function summariesOf(ctx: RoomsContext, entries: readonly PublishedRoom[]): Promise<RoomSummary[]> {
  const large = entries.filter((entry) => entry.summary === undefined).map((entry) => entry.room);
  const loaded = large.length === 0 ? new Map<number, RoomSummary>() : await loadRoomSummaries(ctx, large);
  return entries.flatMap((entry) => entry.summary ?? loaded.get(entry.room) ?? []);
}

/** `GET /directory/list/room/{roomId}`. Errors: M_NOT_FOUND for a room that this server does not know. */
export async function directoryVisibility(ctx: RoomsContext, roomId: RoomId): Promise<'public' | 'private'> {
  const { room } = await ctx.dags.open(roomId);
  return (await ctx.db.one(publishedRoom, { room })) === undefined ? 'private' : 'public';
}

/**
 * `PUT /directory/list/room/{roomId}`, for members who may set the room's canonical alias and for administrators of the server.
 * Errors: M_NOT_FOUND for a room that this server does not know, M_FORBIDDEN.
 */
export async function setDirectoryVisibility(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  visibility: 'public' | 'private',
): Promise<void> {
  const dag = await ctx.dags.open(roomId);
  if (actor.isAdmin !== true && !(await maySendState(dag, actor.userId, directoryEventType)))
    throw forbidden('You may not change the entries of this room in the directory');
  await ctx.db.write((unit) => setPublished(unit, dag.room, visibility === 'public')).committed;
}
