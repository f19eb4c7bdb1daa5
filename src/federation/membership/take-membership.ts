/**
 * Joins, leaves and knocks that users of other servers hand in through this one.
 * https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
import { signEvent } from '../../matrix/crypto/finish-event.ts';
import { forbidden, invalidParam } from '../../matrix/errors.ts';
import { stateForAuthRules } from '../../matrix/event-auth/auth-types.ts';
import { checkStateDependentAuthRules } from '../../matrix/event-auth/state-dependent.ts';
import type { EventId, RoomId, UserId } from '../../matrix/ids/ids.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { serverOf } from '../../rooms/context.ts';
import { MissingEvents, type Placed, type RoomDag } from '../../rooms/dag/contract.ts';
import { assertOpenToOthers } from '../../rooms/may-federate.ts';
import { type CheckedEvent, receiveEvent } from '../../rooms/receive-event.ts';
import { signedByPolicyServer } from '../../rooms/policy-servers.ts';
import { authorisingMember } from '../../rooms/restricted-joins.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import type { RequestingServer } from '../contract.ts';
import { checkHandedIn } from './check-handed-in.ts';
import type { MembershipContext } from './context.ts';
import type { HandedMembership } from './make-membership.ts';
import { openResidentRoom } from './open-resident-room.ts';

export interface TakeRequest {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly membership: HandedMembership;
  /** Parsed with exact numbers. */
  readonly pdu: JsonObject;
}
export interface Taken {
  readonly dag: RoomDag;
  readonly event: CheckedEvent;
  readonly placed: Placed;
}

/**
 * The event is on disk when this resolves, and goes to the other servers in the room. Handing it in again changes nothing.
 * Errors: M_INVALID_PARAM (not such an event, or badly signed), M_FORBIDDEN (by the rules of the room), M_NOT_FOUND (nobody of
 * ours is in the room); as `authorisingMember` for a restricted room.
 */
export async function takeMembership(
  ctx: Pick<MembershipContext, 'rooms' | 'verifier'>,
  { origin }: RequestingServer,
  request: TakeRequest,
): Promise<Taken> {
  const { roomId, pdu, membership } = request;
  const { rules } = await openResidentRoom(ctx.rooms, origin, roomId);
  const authoriser = membership === 'join' && rules.eventAuth.restricted ? authoriserIn(ctx, pdu) : undefined;
  const checked = await checkHandedIn(ctx, { ...request, origin, rules }, authoriser && signerOf(ctx, authoriser));
  if (checked.event.stateKey !== checked.event.sender) throw invalidParam('The state_key is not the sender');
  const { dag, placed } = await ctx.rooms.locks.run(roomId, async () => {
    const dag = await openResidentRoom(ctx.rooms, origin, roomId);
    if (membership !== 'leave') await assertOpenToOthers(ctx.rooms, dag, 'incoming');
    if (authoriser !== undefined) await authorisingMember(ctx.rooms, dag, checked.event.sender);
    return { dag, placed: await take(ctx, dag, checked) };
  });
  await placed.ticket?.committed;
  if (!placed.verdict.ok) throw forbidden(placed.verdict.reason);
  if (placed.softFailed) throw forbidden('The room does not allow it any more');
  return { dag, event: checked, placed };
}

async function take({ rooms }: Pick<MembershipContext, 'rooms'>, dag: RoomDag, checked: CheckedEvent): Promise<Placed> {
  const { event } = checked;
  // What is refused is not kept: nothing that this server knows builds on it.
  const state = await dag.currentEvents(stateForAuthRules(event, dag.rules));
  const verdict = checkStateDependentAuthRules(event, state, dag.rules);
  if (!verdict.ok) throw forbidden(verdict.reason);
  try {
    return await receiveEvent(rooms, dag, await signedByPolicyServer(rooms, dag, checked), { marks: EventFlag.sentOn });
  } catch (error) {
    if (error instanceof MissingEvents) throw invalidParam('The event names events that are not known here');
    throw error;
  }
}

/** The member of ours who lets the user into a restricted room; undefined: nobody has to. */
function authoriserIn({ rooms }: Pick<MembershipContext, 'rooms'>, { content }: JsonObject): UserId | undefined {
  const via = isJsonObject(content) ? content['join_authorised_via_users_server'] : undefined;
  if (via === undefined) return undefined;
  if (!isUserId(via) || !rooms.localServers.isLocal(serverOf(via)))
    throw invalidParam('join_authorised_via_users_server is no user of this server');
  return via;
}

/** Adds the signature of the user's server. */
function signerOf({ rooms }: Pick<MembershipContext, 'rooms'>, userId: UserId) {
  const server = serverOf(userId);
  return (pdu: JsonObject, rules: RoomDag['rules']): JsonObject =>
    signEvent(pdu, server, rooms.localServers.signingKeyOf(server), rules);
}
