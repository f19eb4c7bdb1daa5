/** Pages of the rooms of a space. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy */
import { forbidden, invalidParam } from '../../matrix/errors.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { roomsByIds } from '../../storage/stores/room-directory-store.ts';
import { candidateServers } from '../candidate-servers.ts';
import type { Actor, RoomsContext } from '../context.ts';
import { formatHierarchyToken, indexBehind, parseHierarchyToken } from './hierarchy-token.ts';
import { type PreviewedRoom, type RoomPreview, loadPreviews } from './room-previews.ts';
import { RoomsElsewhere, type WantedRoom } from './rooms-elsewhere.ts';
import { type SpaceWalk, walkSpace } from './walk-space.ts';

export interface HierarchyRequest {
  readonly suggestedOnly: boolean;
  readonly maxDepth?: number | undefined;
  readonly limit?: number | undefined;
  readonly from?: string | undefined;
}
/** Wire objects. */
export type HierarchyRoom = RoomPreview & { readonly children_state: readonly JsonObject[] };
export type SpaceHierarchy = { readonly rooms: readonly HierarchyRoom[]; readonly next_batch?: string };

/**
 * Each room once, at the first place where it is met. Rooms that the user may not be told of are left out. Of rooms that nobody of
 * ours is in, other servers are asked, some for each page: it may come back short, even empty, with a `next_batch` to go on from.
 * Errors: M_FORBIDDEN (the space itself may not be seen), M_INVALID_PARAM (a token of another request).
 */
export async function spaceHierarchy(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  request: HierarchyRequest,
): Promise<SpaceHierarchy> {
  const walkRequest = {
    isSuggestedOnly: request.suggestedOnly,
    depthMax: Math.min(request.maxDepth ?? Infinity, limits.hierarchyDepthMax),
  };
  const scope = { roomId, ...walkRequest };
  const place = request.from === undefined ? undefined : parseHierarchyToken(request.from, scope);
  if (request.from !== undefined && place === undefined)
    throw invalidParam('from is no token of a request for this room with this max_depth and suggested_only');
  const others = new RoomsElsewhere(ctx, actor, { isContinued: request.from !== undefined });
  const walk = await walkSpace(ctx, actor, await rootOf(ctx, actor, roomId), others, walkRequest);
  if (!walk.elsewhere.has(roomId) && !(await previewsById(ctx, actor, [roomId])).has(roomId))
    throw forbidden('You may not see this room');
  const limit = Math.min(request.limit ?? limits.hierarchyRoomsDefault, limits.hierarchyRoomsMax);
  const start = place === undefined ? 0 : indexBehind(walk.order, place);
  const page = await readPage(ctx, actor, { ...walk, unasked: others.unasked }, start, limit);
  const last = walk.order[page.end - 1];
  const hasMore = page.end < walk.order.length && last !== undefined;
  return { rooms: page.rooms, ...(hasMore ? { next_batch: formatHierarchyToken(scope, page.end - 1, last) } : {}) };
}

async function rootOf(ctx: RoomsContext, { userId }: Actor, roomId: RoomId): Promise<WantedRoom> {
  const dag = await ctx.dags.find(roomId);
  return { roomId, servers: await candidateServers(ctx, roomId, dag, userId), told: undefined };
}

interface Page {
  readonly rooms: readonly HierarchyRoom[];
  /** The index of the first room that was not looked at. */
  readonly end: number;
}

async function readPage(
  ctx: RoomsContext,
  actor: Actor,
  { order, childrenOf, elsewhere, unasked }: SpaceWalk & Pick<RoomsElsewhere, 'unasked'>,
  start: number,
  limit: number,
): Promise<Page> {
  const rooms: HierarchyRoom[] = [];
  let at = start;
  for (let scanned = 0; at < order.length && scanned < limits.hierarchyRoomsScannedMax;) {
    const slice = order.slice(at, at + limit);
    scanned += slice.length;
    const here = slice.filter((roomId) => !elsewhere.has(roomId));
    const previews = await previewsById(ctx, actor, here);
    for (const roomId of slice) {
      if (rooms.length >= limit || unasked.has(roomId)) return { rooms, end: at };
      at++;
      const preview = elsewhere.get(roomId)?.preview ?? previews.get(roomId)?.preview;
      if (preview === undefined) continue;
      const children = childrenOf.get(roomId) ?? [];
      rooms.push({ ...preview, children_state: children.map(({ stripped }) => stripped) });
    }
  }
  return { rooms, end: at };
}

async function previewsById(
  ctx: RoomsContext,
  actor: Actor,
  roomIds: readonly RoomId[],
): Promise<ReadonlyMap<RoomId, PreviewedRoom>> {
  const known = await ctx.db.all(roomsByIds, { roomIds });
  const rooms = known.map(({ room }) => room);
  const previews = [...(await loadPreviews(ctx, actor, rooms)).values()];
  return new Map(previews.map((preview) => [preview.preview.room_id, preview]));
}
