/**
 * Joins without an invite into rooms that let in the members of other rooms, such as those of a space.
 * https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms
 */
import { MatrixError, forbidden } from '../matrix/errors.ts';
import { namedPowerLevel } from '../matrix/event-auth/power-levels.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import { isRoomId } from '../matrix/ids/room-id.ts';
import { type JsonObject, isJsonObject } from '../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { membershipsIn } from '../storage/stores/membership-store.ts';
import { findAbleMember } from './able-member.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { memberOf, membershipIn } from './membership.ts';

/** The content of a join, with the member who lets the user in where the room is restricted. Errors: as `authorisingMember`. */
export async function authorised(
  ctx: RoomsContext,
  dag: RoomDag,
  userId: UserId,
  content: JsonObject,
): Promise<JsonObject> {
  const via = await authorisingMember(ctx, dag, userId);
  return via === undefined ? content : { ...content, join_authorised_via_users_server: via };
}

/** It belongs to one join only, and only the server says it. */
export function withoutAuthorisation(content: JsonObject): JsonObject {
  const { join_authorised_via_users_server: _via, ...rest } = content;
  return rest;
}

/**
 * The member who lets somebody into a restricted room; undefined: nobody has to, the authorisation rules say all.
 * Errors: M_FORBIDDEN (no condition is met), 400 M_UNABLE_TO_AUTHORISE_JOIN (this server is in none of the rooms of the
 * conditions), 400 M_UNABLE_TO_GRANT_JOIN (a condition is met, and nobody of ours in the room may invite).
 * https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms
 */
export async function authorisingMember(ctx: RoomsContext, dag: RoomDag, userId: UserId): Promise<UserId | undefined> {
  const joinRules = await dag.currentEvent('m.room.join_rules', '');
  if (joinRules === undefined || !isRestricted(dag.rules, joinRules.content)) return undefined;
  const membership = membershipIn(await memberOf(dag, userId));
  if (membership === 'join' || membership === 'invite' || membership === 'ban') return undefined;
  await assertConditionMet(ctx, userId, joinRules);
  const member = await findAbleMember(ctx, dag, (levels) => namedPowerLevel('invite', levels, dag.rules));
  if (member !== undefined) return member;
  throw new MatrixError(400, 'M_UNABLE_TO_GRANT_JOIN', 'Nobody of this server in the room may invite');
}

/** Whether members of other rooms may join, by the content of `m.room.join_rules`. */
export function isRestricted({ eventAuth }: RoomVersionRules, { join_rule: joinRule }: JsonObject): boolean {
  return (
    (joinRule === 'restricted' && eventAuth.restricted) ||
    (joinRule === 'knock_restricted' && eventAuth.knockRestricted)
  );
}

async function assertConditionMet(ctx: RoomsContext, userId: UserId, joinRules: RoomEvent): Promise<void> {
  const roomIds = roomsOfConditions(joinRules.content);
  if (roomIds.length === 0) throw forbidden('The room has no conditions, so that an invite is needed');
  const user = await ctx.names.userNid(userId);
  // What is known of a room that everybody of ours has left is no longer true.
  const servers = await ctx.names.serverNids(ctx.localServers.names());
  const known = await ctx.db.all(membershipsIn, { user, roomIds, servers });
  if (known.some(({ membership }) => membership === 'join')) return;
  if (known.length > 0) throw forbidden('You are in none of the rooms whose members may join');
  throw new MatrixError(
    400,
    'M_UNABLE_TO_AUTHORISE_JOIN',
    'This server is in none of the rooms whose members may join',
  );
}

/** Whose members may join. Conditions of other types, and what is no condition, are ignored. */
export function roomsOfConditions({ allow }: JsonObject): readonly RoomId[] {
  const conditions = Array.isArray(allow) ? allow : [];
  const roomIds = conditions.map((condition) =>
    isJsonObject(condition) && condition['type'] === 'm.room_membership' ? condition['room_id'] : undefined,
  );
  return [...new Set(roomIds.filter((roomId) => isRoomId(roomId)))];
}
