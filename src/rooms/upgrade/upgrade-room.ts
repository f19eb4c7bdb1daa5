/** Replacing a room by one of another version. https://spec.matrix.org/v1.19/client-server-api/#room-upgrades */
import { creatorsOf } from '../../matrix/event-auth/creators.ts';
import { MatrixError, badJson, forbidden } from '../../matrix/errors.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { RoomId, UserId } from '../../matrix/ids/ids.ts';
import { isRoomId } from '../../matrix/ids/room-id.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { aliasesOfRoom, moveAliases } from '../../storage/stores/room-directory-store.ts';
import { appendLocalEvent } from '../append-local-event.ts';
import { withoutAliases } from '../canonical-alias.ts';
import type { Actor, RoomsContext } from '../context.ts';
import type { Placed, RoomDag } from '../dag/contract.ts';
import { setPublished } from '../directory/published-rooms.ts';
import { type LaidRoom, layRoom } from '../lay-room.ts';
import { assertJoined, openRoom } from '../membership.ts';
import { maySendState } from '../power.ts';
import { loadOldRoom } from './load-old-room.ts';
import { closedPowerLevels } from './upgraded-power-levels.ts';
import { upgradedRoomEvents } from './upgraded-room-events.ts';

export interface UpgradeRequest {
  readonly roomId: RoomId;
  /** Of the new room. */
  readonly rules: RoomVersionRules;
  /** As the client names them; of no effect where the version knows none. */
  readonly additionalCreators: readonly string[];
}

/**
 * The new room is whole, and the old one leads to it with its aliases and its place in the directory, when this resolves: that
 * is one unit, the tombstone's. Asking again for the same gets the same room.
 * Errors: M_FORBIDDEN (nothing was made), M_BAD_JSON (additional creators).
 */
export async function upgradeRoom(ctx: RoomsContext, actor: Actor, request: UpgradeRequest): Promise<RoomId> {
  const additionalCreators = additionalCreatorsOf(request, actor.userId);
  return ctx.locks.run(request.roomId, async () => {
    const dag = await openRoom(ctx, request.roomId);
    await assertJoined(dag, actor.userId);
    if (!(await maySendState(dag, actor.userId, tombstoneType))) throw forbidden('You may not upgrade this room');
    // What is read from here on is on disk, and nothing changes in the room until the lock is given back.
    await ctx.db.drained();
    const earlier = await earlierUpgrade(ctx, dag, actor, request.rules, additionalCreators);
    const roomId = earlier ?? (await replaceRoom(ctx, dag, actor, request.rules, additionalCreators));
    await removeCanonicalAliases(ctx, dag, actor, roomId);
    await closeRoom(ctx, dag, actor);
    return roomId;
  });
}

const tombstoneType = 'm.room.tombstone';
const tombstoneBody = 'This room has been replaced';

/** Errors: M_BAD_JSON. */
function additionalCreatorsOf({ rules, additionalCreators }: UpgradeRequest, upgrader: UserId): UserId[] {
  if (!rules.eventAuth.additionalCreators) return [];
  if (!additionalCreators.every(isUserId)) throw badJson('additional_creators must hold user IDs');
  return [...new Set(additionalCreators)].filter((userId) => userId !== upgrader);
}

/** The room that the same request made before, whose answer perhaps got lost. */
async function earlierUpgrade(
  ctx: RoomsContext,
  dag: RoomDag,
  actor: Actor,
  rules: RoomVersionRules,
  additionalCreators: readonly UserId[],
): Promise<RoomId | undefined> {
  const tombstone = await dag.currentEvent(tombstoneType, '');
  const replacement = tombstone?.content['replacement_room'];
  if (tombstone?.sender !== actor.userId || !isRoomId(replacement)) return undefined;
  const successor = await ctx.dags.find(replacement);
  const create = await successor?.currentEvent('m.room.create', '');
  if (successor === undefined || create === undefined) return undefined;
  const { predecessor } = create.content;
  const leadsBack = isJsonObject(predecessor) && predecessor['room_id'] === dag.roomId;
  const creators = creatorsOf(create, successor.rules);
  const isSame =
    leadsBack &&
    successor.rules.version === rules.version &&
    new Set([actor.userId, ...additionalCreators]).symmetricDifference(new Set(creators)).size === 0;
  return isSame ? replacement : undefined;
}

async function replaceRoom(
  ctx: RoomsContext,
  dag: RoomDag,
  actor: Actor,
  rules: RoomVersionRules,
  additionalCreators: readonly UserId[],
): Promise<RoomId> {
  const { isPublished, old } = await loadOldRoom(ctx, dag);
  const upgraderMember = await ctx.members.memberProfile(actor.userId);
  const upgrade = { rules, upgrader: actor.userId, upgraderMember, additionalCreators };
  const laid = await layRoom(ctx, actor, rules, upgradedRoomEvents(old, upgrade));
  await sendTombstone(ctx, dag, actor, laid, isPublished);
  return laid.roomId;
}

/** With the tombstone's unit the aliases lead to the new room, and the directory lists it instead. */
async function sendTombstone(
  ctx: RoomsContext,
  dag: RoomDag,
  actor: Actor,
  { roomId, last: { room } }: LaidRoom,
  isPublished: boolean,
): Promise<void> {
  const content = { body: tombstoneBody, replacement_room: roomId };
  const { placed } = await appendLocalEvent(
    ctx,
    dag,
    { type: tombstoneType, stateKey: '', sender: actor.userId, content },
    {
      also(unit) {
        unit.run(moveAliases, { from: dag.room, to: room });
        if (!isPublished) return;
        setPublished(unit, dag.room, false);
        setPublished(unit, room, true);
      },
    },
  );
  await placed.ticket?.committed;
}

/** The old room no longer names what leads elsewhere now, if the user may say so. */
async function removeCanonicalAliases(
  ctx: RoomsContext,
  dag: RoomDag,
  actor: Actor,
  replacement: RoomId,
): Promise<void> {
  const { room } = await ctx.dags.open(replacement);
  const moved = await ctx.db.all(aliasesOfRoom, { room });
  const type = 'm.room.canonical_alias';
  const current = (await dag.currentEvent(type, ''))?.content ?? {};
  const content = withoutAliases(current, new Set(moved.map(({ alias }) => alias)));
  if (content !== current) await sendIfAllowed(ctx, dag, actor, type, content);
}

/** Speaking and inviting in the old room need power from now on, if the user may say so. */
async function closeRoom(ctx: RoomsContext, dag: RoomDag, actor: Actor): Promise<void> {
  const create: RoomEvent | undefined = await dag.currentEvent('m.room.create', '');
  if (create === undefined) return;
  const content = closedPowerLevels({
    content: (await dag.currentEvent('m.room.power_levels', ''))?.content,
    rules: dag.rules,
    creators: creatorsOf(create, dag.rules),
  });
  if (content !== undefined) await sendIfAllowed(ctx, dag, actor, 'm.room.power_levels', content);
}

async function sendIfAllowed(
  ctx: RoomsContext,
  dag: RoomDag,
  { userId: sender }: Actor,
  type: string,
  content: JsonObject,
): Promise<void> {
  const placed = await appendLocalEvent(ctx, dag, { type, stateKey: '', sender, content }).then(
    (appended): Placed => appended.placed,
    (error: unknown) => {
      if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return undefined;
      throw error;
    },
  );
  await placed?.ticket?.committed;
}
