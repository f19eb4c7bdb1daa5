/** Memberships of local users that are made through other servers. */
import type {
  RemoteJoinRequest,
  RemoteKnock,
  RemoteMembershipEvent,
  RemoteMembershipRequest,
  RemoteMemberships,
} from '../../rooms/ports.ts';
import { MatrixError } from '../../matrix/errors.ts';
import { isResident } from '../../rooms/residence.ts';
import { strippedEvents } from '../../rooms/stripped-state.ts';
import { FederationError } from '../federation-error.ts';
import { acceptJoin } from './accept-join.ts';
import type { MembershipContext } from './context.ts';
import { handIn, signedMembership } from './handshakes.ts';
import { checkedJoinAnswer } from './join-answer.ts';
import { shownRoomState } from './shown-room-state.ts';
import { signInvite } from './sign-invite.ts';
import { tryServers } from './try-servers.ts';

export function createRemoteMemberships(ctx: MembershipContext): RemoteMemberships {
  return {
    join: (request) => ctx.joins.run(request.roomId, () => join(ctx, request)),
    knock: (request) => knock(ctx, request),
    leave: (request) => leave(ctx, request),
    signInvite: (invite) => signInvite(ctx, invite),
  };
}

async function join(ctx: MembershipContext, request: RemoteJoinRequest): Promise<'joined' | 'resident'> {
  const { roomId, userId, content, servers, needsOthers } = request;
  const dag = await ctx.rooms.dags.find(roomId);
  const isHere = dag !== undefined && (await isResident(ctx.rooms, dag.room));
  // As long as the state is not known whole, others know better who may join.
  if (!needsOthers && isHere && !dag.isPartial()) return 'resident';
  const joined = tryServers(servers, async (server) => {
    const signed = await signedMembership(ctx, server, { roomId, userId, membership: 'join', content });
    const answer = await handIn(ctx, signed, 'join', {
      omitMembers: ctx.joinsInPart && (!needsOthers || dag?.isPartial() === true),
    });
    await acceptJoin(ctx, signed, await checkedJoinAnswer(ctx, signed, answer));
    return 'joined' as const;
  });
  return isHere && !needsOthers ? joined.catch(residentIfSilent) : joined;
}

/** Where nobody better can be asked, what is known of the state here has to do. */
function residentIfSilent(error: unknown): 'resident' {
  if (error instanceof MatrixError && (error.status === 404 || error.status === 502)) return 'resident';
  throw error;
}

async function knock(ctx: MembershipContext, request: RemoteMembershipRequest): Promise<RemoteKnock> {
  const { roomId, userId, content, servers } = request;
  return tryServers(servers, async (server) => {
    const signed = await signedMembership(ctx, server, { roomId, userId, membership: 'knock', content });
    const { knock_room_state: roomState } = await handIn(ctx, signed, 'knock');
    const shown = Array.isArray(roomState) ? roomState : [];
    const { event, body, rules } = signed;
    // The knock stands, whatever its answer is worth.
    const state = await shownRoomState(ctx, { roomId, rules, roomState: shown }).catch(() => []);
    return { event, body, rules, server, stripped: [...state, ...strippedEvents([event])] };
  });
}

async function leave(
  ctx: MembershipContext,
  { roomId, userId, content, servers }: RemoteMembershipRequest,
): Promise<RemoteMembershipEvent | undefined> {
  for (const server of servers) {
    try {
      const signed = await signedMembership(ctx, server, { roomId, userId, membership: 'leave', content });
      await handIn(ctx, signed, 'leave');
      const { event, body, rules } = signed;
      return { event, body, rules, server };
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
    }
  }
  return undefined;
}
