/**
 * Events for users of other servers to sign: joins, leaves, knocks.
 * https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
import { MatrixError, forbidden } from '../../matrix/errors.ts';
import { stateForAuthRules } from '../../matrix/event-auth/auth-types.ts';
import { checkStateDependentAuthRules } from '../../matrix/event-auth/state-dependent.ts';
import { roomEventFromPdu } from '../../matrix/events/room-event-from-pdu.ts';
import type { EventId, RoomId, UserId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { nextEvent } from '../../rooms/append-local-event.ts';
import { serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { assertOpenToOthers } from '../../rooms/may-federate.ts';
import { authorised } from '../../rooms/restricted-joins.ts';
import type { RequestingServer } from '../contract.ts';
import type { MembershipContext } from './context.ts';
import { openResidentRoom } from './open-resident-room.ts';

export type HandedMembership = 'join' | 'leave' | 'knock';
export interface MakeRequest {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly membership: HandedMembership;
  /** Room versions that the other server knows; undefined: it did not say. */
  readonly versions: readonly string[] | undefined;
}

/**
 * The answer to make_join, make_leave and make_knock. Errors: M_FORBIDDEN (by the rules of the room, or not the asking server's
 * user), M_NOT_FOUND (nobody of ours is in the room), M_INCOMPATIBLE_ROOM_VERSION; as `authorisingMember` for a restricted room.
 */
export async function makeMembership(
  ctx: Pick<MembershipContext, 'rooms'>,
  { origin, destination }: RequestingServer,
  { roomId, userId, membership, versions }: MakeRequest,
): Promise<JsonObject> {
  if (serverOf(userId) !== origin) throw forbidden('The user is not of your server');
  const opened = await openResidentRoom(ctx.rooms, origin, roomId);
  const { version } = opened.rules;
  if (versions !== undefined && !versions.includes(version))
    throw new MatrixError(400, 'M_INCOMPATIBLE_ROOM_VERSION', `The room has version ${version}`, {
      room_version: version,
    });
  const event = await ctx.rooms.locks.run(roomId, async () => {
    const dag = await openResidentRoom(ctx.rooms, origin, roomId);
    if (membership !== 'leave') await assertOpenToOthers(ctx.rooms, dag, 'incoming');
    return draft(ctx, dag, userId, membership);
  });
  return { room_version: version, event: { ...event, origin: destination } };
}

async function draft(
  { rooms }: Pick<MembershipContext, 'rooms'>,
  dag: RoomDag,
  userId: UserId,
  membership: HandedMembership,
): Promise<JsonObject> {
  const plain = { membership };
  const content = membership === 'join' ? await authorised(rooms, dag, userId, plain) : plain;
  const pdu = await nextEvent(rooms, dag, { type: 'm.room.member', stateKey: userId, sender: userId, content });
  // It has no id before it is signed, and none is asked for.
  const event = roomEventFromPdu(pdu, dag.rules, '$' as EventId);
  const state = await dag.currentEvents(stateForAuthRules(event, dag.rules));
  const verdict = checkStateDependentAuthRules(event, state, dag.rules);
  if (!verdict.ok) throw forbidden(verdict.reason);
  return pdu;
}
