/**
 * Memberships that other servers have a say in: of rooms that nobody of ours is in, and of users of other servers.
 * https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
import { forbidden, guestAccessForbidden } from '../matrix/errors.ts';
import type { RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { draftLocalEvent } from './append-local-event.ts';
import { candidateServers } from './candidate-servers.ts';
import { type Actor, type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { departureAlone } from './departure-alone.ts';
import { standingOf, withdrawForeignMembership, writeForeignMembership } from './foreign-memberships.ts';
import { assertOpenToOthers } from './may-federate.ts';
import { memberOf, membershipIn, openRoom } from './membership.ts';
import { receiveEvent } from './receive-event.ts';
import { isResident } from './residence.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { carrySettings } from './upgrade/carried-settings.ts';
import { shownState } from './stripped-state.ts';

export interface ElsewhereRequest {
  readonly actor: Actor;
  readonly roomId: RoomId;
  /** Of the membership event. */
  readonly content: JsonObject;
  readonly servers: readonly ServerName[];
}

/** Other servers that are to be asked for a room; undefined: it is for this one alone to say. */
export async function serversToAsk(
  ctx: RoomsContext,
  dag: RoomDag | undefined,
  {
    roomId,
    userId,
    via,
  }: { readonly roomId: RoomId; readonly userId: UserId; readonly via?: readonly ServerName[] | undefined },
): Promise<readonly ServerName[] | undefined> {
  const isHere = dag !== undefined && ((await hasCreator(ctx, dag)) || (await isResident(ctx, dag.room)));
  if (isHere && !dag.isPartial()) return undefined;
  const servers = await candidateServers(ctx, roomId, dag, userId, via);
  return servers.length === 0 ? undefined : servers;
}

/** Whether one of ours made the room and is in it still: for most rooms of ours that is known without a read. */
async function hasCreator(ctx: RoomsContext, dag: RoomDag): Promise<boolean> {
  const create = await dag.currentEvent('m.room.create', '');
  if (create === undefined || !ctx.localServers.isLocal(serverOf(create.sender))) return false;
  return membershipIn(await memberOf(dag, create.sender)) === 'join';
}

/** Other servers that are to be told that an invite is rejected or a knock taken back; undefined: it stands in our graph. */
export async function serversToTell(
  ctx: RoomsContext,
  userId: UserId,
  roomId: RoomId,
): Promise<readonly ServerName[] | undefined> {
  const dag = await ctx.dags.find(roomId);
  if (dag === undefined) return undefined;
  const known = membershipIn(await memberOf(dag, userId));
  if (known === 'join' || ((known === 'invite' || known === 'knock') && (await isResident(ctx, dag.room))))
    return undefined;
  const standing = await standingOf(ctx, dag, userId);
  if (standing?.membership !== 'invite' && standing?.membership !== 'knock') return undefined;
  const servers = await candidateServers(ctx, roomId, dag, userId);
  // Of a room that no other server ever was in, the graph here is all there is.
  return servers.length === 0 && standing.foreign === undefined ? undefined : servers;
}

/** `needsOthers` and the answer: as `RemoteMemberships.join`. */
export async function joinElsewhere(
  ctx: RoomsContext,
  { actor, roomId, content, servers }: ElsewhereRequest,
  { needsOthers }: { readonly needsOthers: boolean },
): Promise<'joined' | 'resident'> {
  if (actor.isGuest === true) throw guestAccessForbidden('Guests join rooms of this server only');
  const { userId } = actor;
  ctx.federationRights?.assertMayFederate(userId, 'outgoing');
  const outcome = await ctx.remoteMemberships.join({ roomId, userId, content, servers, needsOthers });
  if (outcome === 'joined') await carrySettings(ctx, roomId, userId);
  return outcome;
}

export async function knockElsewhere(
  ctx: RoomsContext,
  { actor, roomId, content, servers }: ElsewhereRequest,
): Promise<void> {
  const { userId } = actor;
  ctx.federationRights?.assertMayFederate(userId, 'outgoing');
  const knock = await ctx.remoteMemberships.knock({ roomId, userId, content, servers });
  await ctx.locks.run(roomId, async () => {
    const dag = await ctx.dags.adopt(roomId, knock.rules.version);
    const { event, body, server, stripped } = knock;
    await writeForeignMembership(ctx, dag, { userId, membership: 'knock', event, body, server, stripped });
  });
}

export async function leaveElsewhere(
  ctx: RoomsContext,
  { actor, roomId, content, servers }: ElsewhereRequest,
): Promise<void> {
  const { userId } = actor;
  const told = await ctx.remoteMemberships.leave({ roomId, userId, content, servers });
  await ctx.locks.run(roomId, async () => {
    const dag = await openRoom(ctx, roomId);
    const standing = await standingOf(ctx, dag, userId);
    // They may have joined meanwhile.
    if (standing?.membership !== 'invite' && standing?.membership !== 'knock') return;
    const until = standing.foreign?.event ?? (await memberOf(dag, userId));
    const departure =
      told ?? (until && { ...departureAlone(ctx, dag, userId, until, content), server: serverOf(userId) });
    if (departure === undefined) await withdrawForeignMembership(ctx, dag, userId);
    else await writeForeignMembership(ctx, dag, { userId, membership: 'leave', ...departure, stripped: [] });
  });
}

/**
 * Invites a user of another server. The invite takes effect once that server has signed it.
 * Errors: M_FORBIDDEN by the rules, and as `RemoteMemberships.signInvite`.
 */
export async function inviteElsewhere(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  target: UserId,
  content: JsonObject,
): Promise<void> {
  ctx.federationRights?.assertMayFederate(actor.userId, 'outgoing');
  const unsigned = await ctx.locks.run(roomId, async () => {
    const dag = await openRoom(ctx, roomId);
    await assertOpenToOthers(ctx, dag, 'outgoing');
    const draft = { type: 'm.room.member', stateKey: target, sender: actor.userId, content };
    const { event, body } = await draftLocalEvent(ctx, dag, draft);
    const shown = await shownState(dag, event);
    return { event, body, rules: dag.rules, roomState: shown.map(({ pdu }) => pdu) };
  });
  const signed = await ctx.remoteMemberships.signInvite(unsigned);
  const placed = await ctx.locks.run(roomId, async () =>
    receiveEvent(ctx, await openRoom(ctx, roomId), signed, { marks: EventFlag.sentOn }),
  );
  if (!placed.verdict.ok) throw forbidden(placed.verdict.reason);
  await placed.ticket?.committed;
  if (placed.softFailed) throw forbidden('The room changed meanwhile, and you may not invite any more');
}
