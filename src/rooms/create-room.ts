/** Making a room. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
import { MatrixError, forbidden } from '../matrix/errors.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { aliasByName, insertAlias } from '../storage/stores/room-directory-store.ts';
import { type Appended, appendLocalEvent } from './append-local-event.ts';
import { type BuiltEvent, buildEvent } from './build-event.ts';
import { assertInitialEvents } from './check-drafts.ts';
import { contentOf } from './change-membership.ts';
import { type Actor, type RoomsContext, randomOpaqueId, serverOf, signerFor } from './context.ts';
import { type CreateRoomRequest, type StateDraft, createRoomEvents } from './create-room-events.ts';
import type { ReceiveOptions, RoomDag } from './dag/contract.ts';
import { setPublished } from './directory/published-rooms.ts';
import { timelineEntry } from './event-effects.ts';
import { mainThread } from './threads.ts';

/**
 * The room exists, invites included, when this resolves; only then its alias leads to it and the directory lists it.
 * Errors: M_ROOM_IN_USE (the alias is taken; nothing was made), M_BAD_JSON, M_INVALID_ROOM_STATE (an event that the request
 * implies is refused), M_FORBIDDEN.
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
  const profile = await ctx.members.memberProfile(actor.userId);
  const [createDraft, ...drafts] = createRoomEvents(request, actor.userId, profile, rules);
  if (createDraft === undefined) throw new Error('a room starts with its create event');
  const invites = await inviteDrafts(ctx, request);
  for (let originServerTs = ctx.clock.nowMs(); ; originServerTs++) {
    const create = buildCreateEvent(ctx, actor, createDraft, rules, originServerTs);
    const { roomId } = create.event;
    assertInitialEvents(create.event, [...drafts, ...invites], rules);
    const last = await ctx.locks.run(roomId, async () => {
      // Where the id is made from the event, two like it in one millisecond would be one room.
      if ((await ctx.dags.find(roomId)) !== undefined) return undefined;
      const dag = await storeCreateEvent(ctx, actor, create);
      return appendInitialEvents(ctx, actor, dag, [...drafts, ...invites], (unit, { room }) => {
        if (request.alias !== undefined) unit.run(insertAlias, { alias: request.alias, room, creator: actor.userNid });
        if (request.visibility === 'public') setPublished(unit, room, true);
      });
    });
    if (last === undefined) continue;
    await last.placed.ticket?.committed;
    return roomId;
  }
}

function buildCreateEvent(
  ctx: RoomsContext,
  actor: Actor,
  draft: StateDraft,
  rules: RoomVersionRules,
  originServerTs: number,
): BuiltEvent {
  const signer = signerFor(ctx, actor.userId);
  const roomId =
    rules.roomIdFormat === 'opaque' ? (`!${randomOpaqueId(ctx.random)}:${signer.serverName}` as RoomId) : undefined;
  return buildEvent(
    { ...draft, sender: actor.userId },
    { roomId, rules, prevEvents: [], authEvents: [], depth: 1, originServerTs },
    [signer],
    () => randomOpaqueId(ctx.random),
  );
}

async function storeCreateEvent(ctx: RoomsContext, actor: Actor, create: BuiltEvent): Promise<RoomDag> {
  const { dag, placed } = await ctx.dags.create(create.event, create.body, {
    local: true,
    also: (unit, placed) => {
      const { ord } = placed;
      if (ord !== null)
        unit.wake({
          kind: 'event',
          ...timelineEntry(create.event, actor.userNid, placed, ord, { threadId: mainThread, counted: false }),
        });
    },
  });
  if (!placed.verdict.ok) throw forbidden(placed.verdict.reason);
  return dag;
}

/** `withLast`: what becomes true with the last one, when the room is whole. */
async function appendInitialEvents(
  ctx: RoomsContext,
  actor: Actor,
  dag: RoomDag,
  drafts: readonly StateDraft[],
  withLast: ReceiveOptions['also'],
): Promise<Appended> {
  let last: Appended | undefined;
  for (const [index, draft] of drafts.entries()) {
    const options = index === drafts.length - 1 ? { also: withLast } : {};
    last = await appendLocalEvent(ctx, dag, { ...draft, sender: actor.userId }, options).catch((error: unknown) => {
      throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN'
        ? new MatrixError(400, 'M_INVALID_ROOM_STATE', `${draft.type} is not allowed: ${error.message}`)
        : error;
    });
  }
  if (last === undefined) throw new Error('a new room has at least its creator');
  return last;
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
