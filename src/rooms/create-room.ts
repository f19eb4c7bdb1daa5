/** Making a room. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
import { MatrixError } from '../matrix/errors.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { aliasByName, insertAlias } from '../storage/stores/room-directory-store.ts';
import { contentOf } from './change-membership.ts';
import { type Actor, type RoomsContext, serverOf } from './context.ts';
import { type CreateRoomRequest, type StateDraft, createRoomEvents } from './create-room-events.ts';
import { setPublished } from './directory/published-rooms.ts';
import { inviteElsewhere } from './elsewhere.ts';
import { layRoom } from './lay-room.ts';
import { assertMayInvite } from './may-invite.ts';

/**
 * The room exists, invites included, when this resolves. Users of other servers are invited once it is there: when that fails
 * it stays, and the error says why.
 * Errors: M_ROOM_IN_USE (the alias is taken; nothing was made), M_BAD_JSON, M_INVALID_ROOM_STATE (an event that the request
 * implies is refused), M_FORBIDDEN, M_INVITE_BLOCKED (nothing was made); as `inviteElsewhere`.
 */
export async function createRoom(
  ctx: RoomsContext,
  actor: Actor,
  request: CreateRoomRequest,
  rules: RoomVersionRules,
): Promise<RoomId> {
  const { alias } = request;
  if (alias === undefined) return makeRoom(ctx, actor, request, rules);
  // Nobody else takes the alias between this look and the room's last event.
  return ctx.aliasLocks.run(alias, async () => {
    if ((await ctx.db.one(aliasByName, { alias })) !== undefined)
      throw new MatrixError(400, 'M_ROOM_IN_USE', `The alias ${alias} is taken`);
    return makeRoom(ctx, actor, request, rules);
  });
}

async function makeRoom(
  ctx: RoomsContext,
  actor: Actor,
  request: CreateRoomRequest,
  rules: RoomVersionRules,
): Promise<RoomId> {
  const [here, elsewhere] = invitedUsers(ctx, request);
  for (const invited of here) await assertMayInvite(ctx, actor.userId, invited);
  const profile = await ctx.members.memberProfile(actor.userId);
  const kept = keptHere(ctx, actor, request, elsewhere);
  const drafts = createRoomEvents(kept, actor.userId, profile, rules, ctx.encryptByDefault);
  const invites = await inviteDrafts(ctx, request, here);
  const { roomId } = await layRoom(ctx, actor, rules, [...drafts, ...invites], (unit, { room }) => {
    if (request.alias !== undefined) unit.run(insertAlias, { alias: request.alias, room, creator: actor.userNid });
    if (request.visibility === 'public') setPublished(unit, room, true);
  });
  await inviteAll(ctx, actor, roomId, elsewhere, contentOf('invite', { extra: extraOf(request) }));
  return roomId;
}

/** Who may have nothing to do with other servers makes rooms for this one. Throws 403 M_FORBIDDEN where another one is asked for. */
function keptHere(
  ctx: RoomsContext,
  { userId }: Actor,
  request: CreateRoomRequest,
  elsewhere: readonly UserId[],
): CreateRoomRequest {
  const rights = ctx.federationRights;
  if (rights === undefined || rights.mayFederate(userId)) return request;
  const { creationContent } = request;
  if (elsewhere.length > 0 || creationContent['m.federate'] === true) rights.assertMayFederate(userId, 'outgoing');
  return { ...request, creationContent: { ...creationContent, 'm.federate': false } };
}

/** Users of this server, whose invites are part of the room from its beginning, and others, whose servers have to sign them. */
function invitedUsers(
  ctx: RoomsContext,
  { invite }: CreateRoomRequest,
): readonly [here: readonly UserId[], elsewhere: readonly UserId[]] {
  const isOurs = (userId: UserId): boolean => ctx.localServers.isLocal(serverOf(userId));
  const all = [...new Set(invite)];
  return [all.filter(isOurs), all.filter((userId) => !isOurs(userId))];
}

async function inviteDrafts(
  ctx: RoomsContext,
  request: CreateRoomRequest,
  here: readonly UserId[],
): Promise<StateDraft[]> {
  const extra = extraOf(request);
  return Promise.all(
    here.map(async (userId) => {
      const profile = await ctx.members.memberProfile(userId);
      return { type: 'm.room.member', stateKey: userId, content: contentOf('invite', { extra }, profile) };
    }),
  );
}

const extraOf = ({ isDirect }: CreateRoomRequest): JsonObject => (isDirect ? { is_direct: true } : {});

/** Some at a time, because each waits for another server. The first failure is told when all are done. */
async function inviteAll(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  invited: readonly UserId[],
  content: JsonObject,
): Promise<void> {
  const failures: unknown[] = [];
  for (let at = 0; at < invited.length; at += invitesAtOnce) {
    const some = invited.slice(at, at + invitesAtOnce);
    const outcomes = await Promise.allSettled(
      some.map((userId) => inviteElsewhere(ctx, actor, roomId, userId, content)),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason);
  }
  if (failures.length > 0) throw failures[0];
}

const invitesAtOnce = 5;
