/** Whether somebody is in a room, and opening rooms for those who should be. */
import { forbidden } from '../matrix/errors.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';

/** Throws M_FORBIDDEN, not M_NOT_FOUND: whether a room exists is no business of those who are not in it. */
export async function openRoom(ctx: RoomsContext, roomId: RoomId): Promise<RoomDag> {
  const dag = await ctx.dags.find(roomId);
  if (dag === undefined) throw notInRoom();
  return dag;
}

/** Throws M_FORBIDDEN unless the user is joined. */
export async function openJoinedRoom(ctx: RoomsContext, userId: UserId, roomId: RoomId): Promise<RoomDag> {
  const dag = await openRoom(ctx, roomId);
  await assertJoined(dag, userId);
  return dag;
}

/** Throws M_FORBIDDEN unless the user is joined. */
export async function assertJoined(dag: RoomDag, userId: UserId): Promise<void> {
  if (membershipIn(await memberOf(dag, userId)) !== 'join') throw notInRoom();
}

/** The membership event of a user in the current state. */
export async function memberOf(dag: RoomDag, userId: UserId): Promise<RoomEvent | undefined> {
  return dag.currentEvent('m.room.member', userId);
}

/**
 * Whether somebody of another server is joined, as far as is known: as long as the room's members are not, their server has to be one
 * of those that are said to be in it.
 */
export async function isTakenForJoined(ctx: RoomsContext, dag: RoomDag, userId: UserId): Promise<boolean> {
  const membership = membershipIn(await memberOf(dag, userId));
  if (membership !== undefined || !dag.isPartial()) return membership === 'join';
  const serverNid = await ctx.names.findServerNid(serverOf(userId));
  return serverNid !== undefined && (await ctx.partialRooms.isSaidToBeIn(dag.room, serverNid));
}

export function membershipIn(event: RoomEvent | undefined): string | undefined {
  const membership = event?.content['membership'];
  return typeof membership === 'string' ? membership : undefined;
}

export const notInRoom = () => forbidden('You are not in this room');
