/**
 * Which rooms a space leads to, in the order in which they are shown. Only spaces are looked at here: of the other rooms
 * nothing but the id is needed to know where they stand.
 */
import type { RoomId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { roomsWithChildren } from '../../storage/stores/space-store.ts';
import type { RoomsContext } from '../context.ts';
import { type Visitor, loadPreviews } from './room-previews.ts';
import { type SpaceChild, loadSpaceChildren } from './space-children.ts';

export interface SpaceWalk {
  /** The space first, then depth first; each room once, whether it can be shown or not. */
  readonly order: readonly RoomId[];
  /** Of the spaces that the visitor may see. */
  readonly childrenOf: ReadonlyMap<RoomId, readonly SpaceChild[]>;
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
  visitor: Visitor,
  root: RoomId,
  request: WalkRequest,
): Promise<SpaceWalk> {
  const spaces = new Map<RoomId, Space>();
  const known = new Set<RoomId>([root]);
  let level: readonly RoomId[] = [root];
  for (let depth = 0; level.length > 0 && depth <= request.depthMax; depth++) {
    const below: RoomId[] = [];
    for (const [roomId, all] of await childrenOfLevel(ctx, visitor, level)) {
      const children = request.isSuggestedOnly ? all.filter(({ isSuggested }) => isSuggested) : all;
      spaces.set(roomId, { children, depth });
      for (const { roomId: child } of children) {
        if (known.has(child) || known.size >= limits.hierarchyRoomsWalkedMax) continue;
        known.add(child);
        below.push(child);
      }
    }
    level = below;
  }
  return {
    order: depthFirst(root, spaces, request.depthMax, known),
    childrenOf: new Map(Array.from(spaces, ([roomId, { children }]) => [roomId, children])),
  };
}

async function childrenOfLevel(
  ctx: RoomsContext,
  visitor: Visitor,
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
