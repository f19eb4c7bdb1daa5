/**
 * Whoever joins a room that replaces another one finds there what they had set for that one: tags, direct chats, push rules.
 * https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-18
 */
import type { RoomId, UserId } from '../../matrix/ids/ids.ts';
import { isRoomId } from '../../matrix/ids/room-id.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import { userRoom } from '../../storage/stores/membership-store.ts';
import type { EventDraft } from '../build-event.ts';
import { type RoomsContext, serverOf } from '../context.ts';
import type { RoomDag } from '../dag/contract.ts';
import type { RoomNames } from '../ports.ts';

export interface SettingsToCarry {
  readonly user: { readonly userId: UserId; readonly userNid: number };
  readonly from: RoomNames;
}

/** Whether somebody joins, or has joined and changes their membership event. */
export const isOwnJoin = ({ type, stateKey, sender, content }: EventDraft): boolean =>
  type === 'm.room.member' && stateKey === sender && content['membership'] === 'join';

/**
 * For a user who sends their own join. undefined: they are joined already, or there is nothing to carry. Costs no read where
 * a room replaces none.
 */
export async function settingsToCarry(
  ctx: RoomsContext,
  dag: RoomDag,
  userId: UserId,
): Promise<SettingsToCarry | undefined> {
  if (!ctx.localServers.isLocal(serverOf(userId))) return undefined;
  const replaced = await replacedBy(dag);
  if (replaced === undefined) return undefined;
  const current = await dag.currentEvent('m.room.member', userId);
  return current?.content['membership'] === 'join' ? undefined : settingsFor(ctx, dag, userId, replaced);
}

/**
 * The same for a user who has just joined through another server. It is not of the join's unit: what the room replaces is known only when its
 * state is here. On disk when this resolves.
 */
export async function carrySettings(ctx: RoomsContext, roomId: RoomId, userId: UserId): Promise<void> {
  const dag = await ctx.dags.open(roomId);
  const replaced = await replacedBy(dag);
  const carried = replaced && (await settingsFor(ctx, dag, userId, replaced));
  if (carried === undefined) return;
  await ctx.members.withCopiedSettings(carried.user, carried.from, dag, async (writeSettings) => {
    await ctx.db.write(writeSettings).committed;
  });
}

interface Replaced {
  readonly create: RoomEvent;
  readonly roomId: RoomId;
}

/** The room that a room says it replaces. */
async function replacedBy(dag: RoomDag): Promise<Replaced | undefined> {
  const create = await dag.currentEvent('m.room.create', '');
  const predecessor = create?.content['predecessor'];
  if (create === undefined || !isJsonObject(predecessor)) return undefined;
  const { room_id: roomId } = predecessor;
  return isRoomId(roomId) ? { create, roomId } : undefined;
}

async function settingsFor(
  ctx: RoomsContext,
  dag: RoomDag,
  userId: UserId,
  { create, roomId }: Replaced,
): Promise<SettingsToCarry | undefined> {
  const old = await ctx.dags.find(roomId);
  if (old === undefined || old.room === dag.room || !(await isReplacement(old, dag, create, userId))) return undefined;
  const userNid = await ctx.names.userNid(userId);
  const standing = await ctx.db.one(userRoom, { user: userNid, room: old.room });
  return standing && { user: { userId, userNid }, from: old };
}

/**
 * Anybody can say that their room replaces another one. The other one says so too; for who made the new room, who perhaps is
 * still about to send that, their own word is enough.
 */
async function isReplacement(old: RoomDag, dag: RoomDag, create: RoomEvent, userId: UserId): Promise<boolean> {
  if (create.sender === userId) return true;
  const tombstone = await old.currentEvent('m.room.tombstone', '');
  return tombstone?.content['replacement_room'] === dag.roomId;
}
