/**
 * Invites by third-party identifiers, once somebody has bound the identifier.
 * https://spec.matrix.org/v1.19/server-server-api/#third-party-invites
 */
import { forbidden, invalidParam, notFound } from '../../matrix/errors.ts';
import type { RoomId, UserId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { serverOf } from '../../rooms/context.ts';
import { isResident } from '../../rooms/residence.ts';
import { redeemThirdPartyInvite, type ThirdPartyInvite } from '../../rooms/third-party-invites.ts';
import type { RequestingServer } from '../contract.ts';
import { federationPath } from '../federation-path.ts';
import type { MembershipContext } from './context.ts';
import { openResidentRoom } from './open-resident-room.ts';
import { tryServers } from './try-servers.ts';

export interface Binding {
  readonly userId: UserId;
  readonly invites: readonly PendingInvite[];
}
export interface PendingInvite {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly target: UserId;
  readonly signed: JsonObject;
}

/**
 * For a server whose user has bound an identifier, while nobody of it is in the room. Errors: M_FORBIDDEN (access control list, the
 * inviter is not ours, the invited not of the asking server), M_NOT_FOUND (nobody of ours is in the room), and as `redeemThirdPartyInvite`.
 */
export async function exchangeThirdPartyInvite(
  ctx: MembershipContext,
  { origin }: RequestingServer,
  invite: ThirdPartyInvite,
): Promise<void> {
  if (!ctx.rooms.localServers.isLocal(serverOf(invite.sender)))
    throw forbidden('The invite was promised by a user of another server');
  if (serverOf(invite.target) !== origin) throw forbidden('The invited is no user of your server');
  await openResidentRoom(ctx.rooms, origin, invite.roomId);
  await redeemThirdPartyInvite(ctx.rooms, ctx.keyValidity, invite);
}

/**
 * An identity server tells that a user of ours has bound an identifier. Each invite is tried, whatever becomes of the others; safe to
 * repeat. Errors: M_NOT_FOUND (no such user), M_INVALID_PARAM; the first failure of an invite.
 */
export async function receiveBinding(ctx: MembershipContext, { userId, invites }: Binding): Promise<void> {
  const { rooms, users } = ctx;
  if (!rooms.localServers.isLocal(serverOf(userId)) || !(await users.isActive(userId)))
    throw notFound('There is no such user here');
  if (invites.length > limits.bindingInvitesMax) throw invalidParam(`More than ${limits.bindingInvitesMax} invites`);
  if (invites.some(({ target, signed }) => target !== userId || signed['mxid'] !== userId))
    throw invalidParam('An invite is for another user');
  const failures: unknown[] = [];
  for (const invite of invites) await redeem(ctx, invite).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function redeem(ctx: MembershipContext, invite: PendingInvite): Promise<void> {
  const { rooms, keyValidity } = ctx;
  const { roomId, sender, target, signed } = invite;
  const dag = await rooms.dags.find(roomId);
  if (dag !== undefined && (await isResident(rooms, dag.room)))
    return redeemThirdPartyInvite(rooms, keyValidity, invite);
  if (rooms.localServers.isLocal(serverOf(sender))) throw notFound('This server is not in the room any more');
  await tryServers([serverOf(sender)], (destination) =>
    ctx.client.request({
      destination,
      origin: serverOf(target),
      method: 'PUT',
      path: federationPath`/_matrix/federation/v1/exchange_third_party_invite/${roomId}`,
      content: {
        type: 'm.room.member',
        room_id: roomId,
        sender,
        state_key: target,
        content: { membership: 'invite', third_party_invite: { display_name: '', signed } },
      },
      timeoutMs: limits.sendMembershipTimeoutMs,
    }),
  );
}
