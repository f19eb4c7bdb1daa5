import type { RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import { isServerName } from '../matrix/ids/server-name.ts';
import { limits } from '../platform/limits.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { type Standing, standingOf } from './foreign-memberships.ts';
import { isResident, otherServersIn } from './residence.ts';

/**
 * Other servers through which a user may come into a room, the likeliest first: those that the user named, those that an invite
 * or a knock names, those that are known to be in the room, and the one in the room's id. Each once, none of ours. Where nobody of
 * ours is in the room the last two stand in for servers that the user did not name.
 */
export async function candidateServers(
  ctx: RoomsContext,
  roomId: RoomId,
  dag: RoomDag | undefined,
  userId: UserId,
  via: readonly ServerName[] = [],
): Promise<ServerName[]> {
  const standing = dag && (await standingOf(ctx, dag, userId));
  const named = dag?.isPartial() === true ? await ctx.partialRooms.servers(dag.room) : [];
  const known = dag === undefined ? [] : [...named, ...(await otherServersIn(ctx, dag.room, limits.joinServersMax))];
  // Who names servers means these: the one in the room's id may have left the room long ago, and so may those that were in it
  // when somebody of ours was.
  const isNamed = via.length > 0;
  const others = isNamed && !(dag && (await isResident(ctx, dag.room))) ? [] : known;
  const all = [...via, ...serversOf(standing), ...others, ...(isNamed ? [] : serverInId(roomId))];
  return [...new Set(all)].filter((name) => !ctx.localServers.isLocal(name)).slice(0, limits.joinServersMax);
}

function serversOf(standing: Standing | undefined): ServerName[] {
  if (standing?.foreign === undefined) return [];
  const { event, server } = standing.foreign;
  return [server, serverOf(event.sender)];
}

/** Since version 12 a room's id names no server. */
function serverInId(roomId: RoomId): ServerName[] {
  const name = roomId.slice(roomId.indexOf(':') + 1);
  return roomId.includes(':') && isServerName(name) ? [name] : [];
}
