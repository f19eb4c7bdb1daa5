/**
 * Memberships: invite, join, knock, leave, kick, ban, unban. The authorisation rules decide who may; here stands only what an
 * endpoint means beyond them. https://spec.matrix.org/v1.19/client-server-api/#room-membership
 */
import { MatrixError, forbidden, notFound } from '../matrix/errors.ts';
import type { RoomId, ServerName, UserId } from '../matrix/ids/ids.ts';
import { canonicalJsonOf } from '../matrix/json/canonical-json.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { type Done, appendLocalEvent, changeRoom } from './append-local-event.ts';
import { candidateServers } from './candidate-servers.ts';
import { type Actor, type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import {
  inviteElsewhere,
  joinElsewhere,
  knockElsewhere,
  leaveElsewhere,
  serversToAsk,
  serversToTell,
} from './elsewhere.ts';
import { standingOf } from './foreign-memberships.ts';
import { assertGuestsEnter } from './guest-access.ts';
import { assertMayEnter } from './may-federate.ts';
import { assertMayInvite, assertMayReject } from './may-invite.ts';
import { assertJoined, memberOf, membershipIn } from './membership.ts';
import { authorised, withoutAuthorisation } from './restricted-joins.ts';

export interface MembershipRequest {
  readonly roomId: RoomId;
  readonly target: UserId;
  readonly reason?: string | undefined;
  /** Further fields of the event's content, such as is_direct or third_party_invite. */
  readonly extra?: JsonObject;
}

/** Servers that may know a room which this one does not. */
interface Via {
  readonly via?: readonly ServerName[] | undefined;
}

/**
 * Errors: M_FORBIDDEN (by the rules: not invited, banned, already there), M_INVITE_BLOCKED (by the invited); of a user of another
 * server as `RemoteMemberships.signInvite`.
 */
export async function inviteUser(ctx: RoomsContext, actor: Actor, request: MembershipRequest): Promise<void> {
  if (!ctx.localServers.isLocal(serverOf(request.target))) {
    await inviteElsewhere(ctx, actor, request.roomId, request.target, contentOf('invite', request));
    return;
  }
  await assertMayInvite(ctx, actor.userId, request.target);
  await changeRoom(ctx, request.roomId, async (dag) => {
    await assertMayEnter(ctx, dag, request.target);
    const profile = await profileOf(ctx, request.target);
    return append(ctx, dag, actor.userId, request.target, contentOf('invite', request, profile));
  });
}

/**
 * Joining a room where one is already changes nothing, unless the content is another one. A room that nobody of ours is in is
 * joined through another server, and so is a restricted one into which nobody of ours may let the user.
 * Errors: M_FORBIDDEN; M_GUEST_ACCESS_FORBIDDEN; as `authorisingMember` for a restricted room; as `RemoteMemberships.join`;
 * M_NOT_FOUND for a room that this server does not know, when it knows nobody to ask for it.
 */
export async function joinRoom(
  ctx: RoomsContext,
  actor: Actor,
  request: Omit<MembershipRequest, 'target'> & Via,
): Promise<void> {
  const { roomId } = request;
  const dag = await ctx.dags.find(roomId);
  const elsewhere = { actor, roomId, content: contentOf('join', request, await profileOf(ctx, actor.userId)) };
  const servers = await serversToAsk(ctx, dag, { ...request, userId: actor.userId });
  const isJoined =
    servers !== undefined && (await joinElsewhere(ctx, { ...elsewhere, servers }, { needsOthers: false })) === 'joined';
  if (isJoined) return;
  if (dag === undefined && servers === undefined) throw unknown(roomId);
  try {
    await joinHere(ctx, actor, request);
  } catch (error) {
    if (!isLackOfAuthority(error)) throw error;
    const others = await candidateServers(ctx, roomId, dag, actor.userId, request.via);
    if (others.length === 0) throw error;
    await joinElsewhere(ctx, { ...elsewhere, servers: others }, { needsOthers: true });
  }
}

async function joinHere(ctx: RoomsContext, actor: Actor, request: Omit<MembershipRequest, 'target'>): Promise<void> {
  await changeRoom(ctx, request.roomId, async (dag) => {
    const current = await memberOf(dag, actor.userId);
    const content = contentOf('join', request, await profileOf(ctx, actor.userId));
    if (current !== undefined && sameContent(dag, withoutAuthorisation(current.content), content)) return nothingToDo;
    await assertMayEnter(ctx, dag, actor.userId);
    await assertGuestsEnter(dag, actor);
    return append(ctx, dag, actor.userId, actor.userId, await authorised(ctx, dag, actor.userId, content));
  });
}

/** Another server in the room may be able to let the user in. */
function isLackOfAuthority(error: unknown): boolean {
  return (
    error instanceof MatrixError &&
    (error.errcode === 'M_UNABLE_TO_AUTHORISE_JOIN' || error.errcode === 'M_UNABLE_TO_GRANT_JOIN')
  );
}

/**
 * Asks to be invited. An invite accepts it, a kick or ban denies it, and `leaveRoom` takes it back.
 * Errors: M_FORBIDDEN by the rules: the join rule or room version has no knocking, or the user is joined, invited or banned;
 * as `RemoteMemberships.knock`; M_NOT_FOUND as for `joinRoom`.
 * https://spec.matrix.org/v1.19/client-server-api/#knocking-on-rooms
 */
export async function knockRoom(
  ctx: RoomsContext,
  actor: Actor,
  request: Omit<MembershipRequest, 'target' | 'extra'> & Via,
): Promise<void> {
  const { roomId } = request;
  const dag = await ctx.dags.find(roomId);
  const servers = await serversToAsk(ctx, dag, { ...request, userId: actor.userId });
  if (servers !== undefined) {
    const content = contentOf('knock', request, await profileOf(ctx, actor.userId));
    return knockElsewhere(ctx, { actor, roomId, content, servers });
  }
  if (dag === undefined) throw unknown(roomId);
  await changeRoom(ctx, roomId, async (dag) => {
    const current = await memberOf(dag, actor.userId);
    const content = contentOf('knock', request, await profileOf(ctx, actor.userId));
    if (current !== undefined && sameContent(dag, current.content, content)) return nothingToDo;
    await assertMayEnter(ctx, dag, actor.userId);
    return append(ctx, dag, actor.userId, actor.userId, content);
  });
}

/**
 * Leaves a room, rejects an invite, or takes a knock back. Who has left already stays so. `isDeparture`: the account is no
 * more. Where nobody of ours is in the room its servers are told, and if none of them listens it is so here all the same.
 * Errors: as `assertMayReject`.
 */
export async function leaveRoom(
  ctx: RoomsContext,
  actor: Actor,
  request: Omit<MembershipRequest, 'target'> & { readonly isDeparture?: boolean },
): Promise<void> {
  const { roomId } = request;
  const servers = await serversToTell(ctx, actor.userId, roomId);
  if (servers !== undefined)
    return leaveElsewhere(ctx, { actor, roomId, content: contentOf('leave', request), servers });
  await changeRoom(ctx, roomId, async (dag) => {
    const member = await memberOf(dag, actor.userId);
    if (membershipIn(member) === 'leave' || (member === undefined && (await hasLeft(ctx, dag, actor))))
      return nothingToDo;
    if (request.isDeparture !== true) assertMayReject(ctx, member);
    return append(ctx, dag, actor.userId, actor.userId, contentOf('leave', request));
  });
}

/** Of a room whose graph does not know the user: they have rejected an invite that came from another server. */
async function hasLeft(ctx: RoomsContext, dag: RoomDag, { userId }: Actor): Promise<boolean> {
  return (await standingOf(ctx, dag, userId))?.membership === 'leave';
}

/** Errors: M_FORBIDDEN when the target is not in the room, or the rules refuse it. */
export async function kickUser(ctx: RoomsContext, actor: Actor, request: MembershipRequest): Promise<void> {
  await changeRoom(ctx, request.roomId, async (dag) => {
    await assertJoined(dag, actor.userId);
    const current = membershipIn(await memberOf(dag, request.target));
    if (current !== 'join' && current !== 'invite' && current !== 'knock')
      throw forbidden('The user is not in this room');
    return append(ctx, dag, actor.userId, request.target, contentOf('leave', request));
  });
}

export async function banUser(ctx: RoomsContext, actor: Actor, request: MembershipRequest): Promise<void> {
  await changeRoom(ctx, request.roomId, (dag) =>
    append(ctx, dag, actor.userId, request.target, contentOf('ban', request)),
  );
}

/** Errors: M_FORBIDDEN when the target is not banned, or the rules refuse it. */
export async function unbanUser(ctx: RoomsContext, actor: Actor, request: MembershipRequest): Promise<void> {
  await changeRoom(ctx, request.roomId, async (dag) => {
    await assertJoined(dag, actor.userId);
    if (membershipIn(await memberOf(dag, request.target)) !== 'ban') throw forbidden('The user is not banned');
    return append(ctx, dag, actor.userId, request.target, contentOf('leave', request));
  });
}

/**
 * A changed profile: the same membership with the new name and avatar. Nothing happens where the user is not joined.
 */
export async function updateMemberProfile(
  ctx: RoomsContext,
  userId: UserId,
  roomId: RoomId,
  profile: JsonObject,
): Promise<void> {
  await changeRoom(ctx, roomId, async (dag) => {
    const current = await memberOf(dag, userId);
    if (current === undefined || membershipIn(current) !== 'join') return nothingToDo;
    const { displayname: _name, avatar_url: _avatar, ...rest } = withoutAuthorisation(current.content);
    const content = { ...rest, ...profile };
    if (sameContent(dag, current.content, content)) return nothingToDo;
    return append(ctx, dag, userId, userId, content);
  });
}

export function contentOf(
  membership: string,
  request: Pick<MembershipRequest, 'reason' | 'extra'>,
  profile: JsonObject = {},
): JsonObject {
  const reason = request.reason === undefined ? {} : { reason: request.reason };
  return { ...request.extra, ...profile, ...reason, membership };
}

const unknown = (roomId: RoomId): MatrixError => notFound(`This server does not know the room ${roomId}`);

const nothingToDo: Done = { eventId: undefined, placed: undefined };

async function append(
  ctx: RoomsContext,
  dag: RoomDag,
  sender: UserId,
  target: UserId,
  content: JsonObject,
): Promise<Done> {
  const draft = { type: 'm.room.member', stateKey: target, sender, content };
  const { event, placed } = await appendLocalEvent(ctx, dag, draft);
  return { eventId: event.eventId, placed };
}

/** The profile of a local user; of others only their own server speaks. */
async function profileOf(ctx: RoomsContext, userId: UserId): Promise<JsonObject> {
  return ctx.localServers.isLocal(serverOf(userId)) ? ctx.members.memberProfile(userId) : {};
}

function sameContent(dag: RoomDag, a: JsonObject, b: JsonObject): boolean {
  const write = canonicalJsonOf(dag.rules);
  return write(a) === write(b);
}
