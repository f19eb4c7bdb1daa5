/** Joins, leaves, knocks and invites across servers. https://spec.matrix.org/v1.19/server-server-api/#joining-rooms */
import { KeyedLock } from '../../platform/keyed-lock.ts';
import type { Timers } from '../../platform/ports.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { RemoteMemberships } from '../../rooms/ports.ts';
import type { ThirdPartyInvite } from '../../rooms/third-party-invites.ts';
import { shownState } from '../../rooms/stripped-state.ts';
import type { RequestingServer } from '../contract.ts';
import type { HandedIn, MembershipContext } from './context.ts';
import { type MakeRequest, makeMembership } from './make-membership.ts';
import { type InviteRequest, receiveInvite } from './receive-invite.ts';
import { createRemoteMemberships } from './remote-memberships.ts';
import { type SendJoinRequest, sendJoin } from './send-join.ts';
import { type Binding, exchangeThirdPartyInvite, receiveBinding } from './third-party-invites.ts';
import { takeMembership } from './take-membership.ts';

export type Memberships = ReturnType<typeof createMemberships>;

export interface MembershipsParts extends Omit<MembershipContext, 'joins' | 'pause' | 'joinsInPart' | 'fetchEvents'> {
  readonly timers: Timers;
  /** Gets what joins left out. Absent: a join brings everything. */
  readonly later?: Pick<MembershipContext, 'fetchEvents'>;
}

export function createMemberships({ timers, later, ...parts }: MembershipsParts) {
  const ctx: MembershipContext = {
    ...parts,
    joins: new KeyedLock<RoomId>(),
    pause: () => new Promise((resolve) => timers.soon(resolve)),
    joinsInPart: later !== undefined,
    fetchEvents: later?.fetchEvents ?? (() => Promise.resolve()),
  };
  const remote: RemoteMemberships = createRemoteMemberships(ctx);
  return {
    /** For rooms: what needs other servers. */
    remote,
    make: (requester: RequestingServer, request: MakeRequest): Promise<JsonObject> =>
      makeMembership(ctx, requester, request),
    sendJoin: (requester: RequestingServer, request: SendJoinRequest): Promise<AsyncIterable<Buffer>> =>
      sendJoin(ctx, requester, request),
    async sendLeave(requester: RequestingServer, request: HandedIn): Promise<void> {
      await takeMembership(ctx, requester, { ...request, membership: 'leave' });
    },
    /** Gives events that identify the room. */
    async sendKnock(requester: RequestingServer, request: HandedIn): Promise<readonly JsonObject[]> {
      const { dag, event } = await takeMembership(ctx, requester, { ...request, membership: 'knock' });
      return (await shownState(dag, event.event)).map(({ pdu }) => pdu);
    },
    exchangeThirdPartyInvite: (requester: RequestingServer, invite: ThirdPartyInvite): Promise<void> =>
      exchangeThirdPartyInvite(ctx, requester, invite),
    receiveBinding: (binding: Binding): Promise<void> => receiveBinding(ctx, binding),
    /** Gives the invite as canonical JSON, with our signature. */
    receiveInvite: (requester: RequestingServer, request: InviteRequest): Promise<string> =>
      receiveInvite(ctx, requester, request),
  };
}
