/** The rooms that two users share. https://spec.matrix.org/v1.19/client-server-api/#mutual-rooms */
import { invalidParam } from '../matrix/errors.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import { sharedRooms } from '../storage/stores/membership-store.ts';
import { roomIdsOf } from '../storage/stores/room-directory-store.ts';
import type { Actor, RoomsContext } from './context.ts';

export interface MutualRooms {
  readonly joined: readonly RoomId[];
  /** Of all of them. */
  readonly count: number;
  /** undefined: nothing follows. */
  readonly next: string | undefined;
}

/**
 * Those in which both are joined now, page by page. A user who is not known here shares no rooms.
 * Throws M_INVALID_PARAM for oneself, and for a token that this does not give.
 */
export async function mutualRooms(
  ctx: RoomsContext,
  actor: Actor,
  userId: UserId,
  from: string | undefined,
): Promise<MutualRooms> {
  if (userId === actor.userId) throw invalidParam('Rooms in common with yourself cannot be asked for');
  const above = from === undefined ? 0 : Number(/^m(\d{1,16})$/.exec(from)?.[1]);
  if (!Number.isSafeInteger(above)) throw invalidParam('from is not a token of this server');
  const other = await ctx.names.findUserNid(userId);
  const all = other === undefined ? [] : await ctx.db.all(sharedRooms, { user: actor.userNid, other });
  const rest = all.map(({ room }) => room).filter((room) => room > above);
  const page = rest.slice(0, limits.mutualRoomsMax);
  const rows = page.length === 0 ? [] : await ctx.db.all(roomIdsOf, { rooms: page });
  const roomIds = new Map(rows.map(({ room, room_id: roomId }) => [room, roomId as RoomId]));
  return {
    joined: page.flatMap((room) => roomIds.get(room) ?? []),
    count: all.length,
    next: rest.length > page.length ? `m${page.at(-1)}` : undefined,
  };
}
