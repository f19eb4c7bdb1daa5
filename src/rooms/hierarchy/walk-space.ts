/**
 * Which rooms a space leads to, in the order in which they are shown. Only spaces are looked at here, and rooms that only other
 * servers know: of the other rooms nothing but the id is needed to know where they stand.
 */
import type { RoomId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { roomsOfServers } from '../../storage/stores/room-server-store.ts';
import { roomsWithChildren } from '../../storage/stores/space-store.ts';
import type { Actor, RoomsContext } from '../context.ts';
import { loadPreviews } from './room-previews.ts';
import type { RoomElsewhere, RoomsElsewhere, WantedRoom } from './rooms-elsewhere.ts';
import { type SpaceChild, loadSpaceChildren } from './space-children.ts';

export interface SpaceWalk {
  /** The space first, then depth first; each room once, whether it can be shown or not. */
  readonly order: readonly RoomId[];
  /** Of the spaces that the visitor may see. */
  readonly childrenOf: ReadonlyMap<RoomId, readonly SpaceChild[]>;
  /** Rooms as other servers tell of them, where nobody of ours is. */
  readonly elsewhere: ReadonlyMap<RoomId, RoomElsewhere>;
}
export interface WalkRequest {
  readonly isSuggestedOnly: boolean;
  /** 0: the space alone. */
  readonly depthMax: number;
}

interface Space {
  readonly children: readonly SpaceChild[];
  /** The length of the shortest way to it. */
  readonly depth: number;
}

/** A few reads for each level. Bounded: beyond `limits.hierarchyRoomsWalkedMax` rooms nothing further is looked at. */
export async function walkSpace(
  ctx: RoomsContext,
  visitor: Actor,
  root: WantedRoom,
  others: RoomsElsewhere,
  request: WalkRequest,
): Promise<SpaceWalk> {
  const spaces = new Map<RoomId, Space>();
  const elsewhere = new Map<RoomId, RoomElsewhere>();
  const known = new Set<RoomId>([root.roomId]);
  let level: readonly WantedRoom[] = [root];
  for (let depth = 0; level.length > 0 && depth <= request.depthMax; depth++) {
    const below: WantedRoom[] = [];
    const away = await others.look(await withoutOurs(ctx, level));
    for (const [roomId, room] of away) elsewhere.set(roomId, room);
    const here = level.map(({ roomId }) => roomId).filter((roomId) => !away.has(roomId));
    const found = [...(await childrenOfLevel(ctx, visitor, here)), ...childrenAway(away)];
    for (const [roomId, all] of found) {
      const children = request.isSuggestedOnly ? all.filter(({ isSuggested }) => isSuggested) : all;
      spaces.set(roomId, { children, depth });
      for (const child of children) {
        if (known.has(child.roomId) || known.size >= limits.hierarchyRoomsWalkedMax) continue;
        known.add(child.roomId);
        below.push(wantedChild(ctx, child, away.get(roomId)));
      }
    }
    level = below;
  }
  return {
    order: depthFirst(root.roomId, spaces, request.depthMax, known),
    childrenOf: new Map(Array.from(spaces, ([roomId, { children }]) => [roomId, children])),
    elsewhere,
  };
}

/** What nobody of ours is in, and somebody else may tell of. */
async function withoutOurs(ctx: RoomsContext, level: readonly WantedRoom[]): Promise<readonly WantedRoom[]> {
  const candidates = level.filter(({ servers, told }) => servers.length > 0 || told !== undefined);
  if (candidates.length === 0) return [];
  const servers = await ctx.names.serverNids(ctx.localServers.names());
  const rows = await ctx.db.all(roomsOfServers, { servers, roomIds: candidates.map(({ roomId }) => roomId) });
  const ours = new Set<string>(rows.map(({ room_id: roomId }) => roomId));
  return candidates.filter(({ roomId }) => !ours.has(roomId));
}

function wantedChild(
  { localServers }: RoomsContext,
  { roomId, via }: SpaceChild,
  parent: RoomElsewhere | undefined,
): WantedRoom {
  const isInaccessible = parent?.space?.inaccessible.has(roomId) === true;
  return {
    roomId,
    servers: isInaccessible ? [] : via.filter((server) => !localServers.isLocal(server)),
    told: parent?.space?.told.get(roomId),
  };
}

function childrenAway(away: ReadonlyMap<RoomId, RoomElsewhere>): readonly (readonly [RoomId, readonly SpaceChild[]])[] {
  const isSpace = ([, { preview }]: readonly [RoomId, RoomElsewhere]) => preview.room_type === 'm.space';
  return [...away].filter(isSpace).map(([roomId, { children }]) => [roomId, children]);
}

async function childrenOfLevel(
  ctx: RoomsContext,
  visitor: Actor,
  roomIds: readonly RoomId[],
): Promise<readonly (readonly [RoomId, readonly SpaceChild[]])[]> {
  const candidates = await ctx.db.all(roomsWithChildren, { roomIds });
  const rooms = candidates.map(({ room }) => room);
  const previews = [...(await loadPreviews(ctx, visitor, rooms)).values()];
  const seen = previews.filter(({ preview }) => preview.room_type === 'm.space');
  const children = await loadSpaceChildren(
    ctx,
    seen.map(({ room }) => room),
  );
  return seen.map(({ room, preview }) => [preview.room_id, children.get(room) ?? []]);
}

/** Each room where it is first met; loops end there. Without recursion, because depths come from rooms of strangers. */
function depthFirst(
  root: RoomId,
  spaces: ReadonlyMap<RoomId, Space>,
  depthMax: number,
  known: ReadonlySet<RoomId>,
): readonly RoomId[] {
  const order = new Set<RoomId>();
  const waiting = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (order.has(next)) continue;
    order.add(next);
    const space = spaces.get(next);
    if (space === undefined || space.depth >= depthMax) continue;
    for (const { roomId } of space.children.toReversed()) if (known.has(roomId)) waiting.push(roomId);
  }
  return [...order];
}
