/** Making a room. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
import { MatrixError } from '../matrix/errors.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { aliasByName, insertAlias } from '../storage/stores/room-directory-store.ts';
import { contentOf } from './change-membership.ts';
import { type Actor, type RoomsContext, serverOf } from './context.ts';
import { type CreateRoomRequest, type StateDraft, createRoomEvents } from './create-room-events.ts';
import { setPublished } from './directory/published-rooms.ts';
import { layRoom } from './lay-room.ts';
import { assertMayInvite } from './may-invite.ts';

/**
 * The room exists, invites included, when this resolves; only then its alias leads to it and the directory lists it.
 * Errors: M_ROOM_IN_USE (the alias is taken; nothing was made), M_BAD_JSON, M_INVALID_ROOM_STATE (an event that the request
 * implies is refused), M_FORBIDDEN, M_INVITE_BLOCKED (nothing was made).
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
  for (const invited of request.invite) await assertMayInvite(ctx, actor.userId, invited);
  const profile = await ctx.members.memberProfile(actor.userId);
  const drafts = createRoomEvents(request, actor.userId, profile, rules, ctx.encryptByDefault);
  const invites = await inviteDrafts(ctx, request);
  const { roomId } = await layRoom(ctx, actor, rules, [...drafts, ...invites], (unit, { room }) => {
    if (request.alias !== undefined) unit.run(insertAlias, { alias: request.alias, room, creator: actor.userNid });
    if (request.visibility === 'public') setPublished(unit, room, true);
  });
  return roomId;
}

async function inviteDrafts(ctx: RoomsContext, request: CreateRoomRequest): Promise<StateDraft[]> {
  const extra = request.isDirect ? { is_direct: true } : {};
  return Promise.all(
    [...new Set(request.invite)].map(async (userId) => {
      const profile = ctx.localServers.isLocal(serverOf(userId)) ? await ctx.members.memberProfile(userId) : {};
      return { type: 'm.room.member', stateKey: userId, content: contentOf('invite', { extra }, profile) };
    }),
  );
}
