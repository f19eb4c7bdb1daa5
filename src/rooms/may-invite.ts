import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import type { InviteDecision } from '../matrix/invite-permission/invite-permission.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { type RoomsContext, serverOf } from './context.ts';
import { membershipIn } from './membership.ts';

type Asking = Pick<RoomsContext, 'names' | 'localServers' | 'invitePermissions'>;

/** What the invited want: of users of other servers only their own server knows, so here they may be invited. */
export async function inviteDecision(ctx: Asking, inviter: UserId, invited: UserId): Promise<InviteDecision> {
  if (inviter === invited || !ctx.localServers.isLocal(serverOf(invited))) return 'allow';
  const userNid = await ctx.names.findUserNid(invited);
  if (userNid === undefined) return 'allow';
  return (await ctx.invitePermissions.of({ userNid })).decide(inviter);
}

/** Throws 403 M_INVITE_BLOCKED. https://spec.matrix.org/v1.19/client-server-api/#invite-permission */
export async function assertMayInvite(ctx: Asking, inviter: UserId, invited: UserId): Promise<void> {
  if ((await inviteDecision(ctx, inviter, invited)) === 'block')
    throw new MatrixError(403, 'M_INVITE_BLOCKED', `${invited} does not take invites from you`);
}

/**
 * Throws 403 M_CANNOT_LEAVE_SERVER_NOTICE_ROOM for an invite to the room of the server's notices: it can be accepted, and the
 * room be left then. https://spec.matrix.org/v1.19/client-server-api/#server-notices
 */
export function assertMayReject(ctx: Pick<RoomsContext, 'invitePermissions'>, member: RoomEvent | undefined): void {
  if (member === undefined || membershipIn(member) !== 'invite') return;
  if (ctx.invitePermissions.mustBeAccepted(member.sender))
    throw new MatrixError(403, 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM', 'This invite cannot be rejected');
}
