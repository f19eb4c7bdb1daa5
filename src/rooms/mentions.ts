/**
 * Whose unread counts an event moves otherwise than everybody's (see docs/decisions: unread counts). Only local users who are
 * joined are looked at; the cost grows with the mentions, not with the members.
 * https://spec.matrix.org/v1.19/client-server-api/#user-and-room-mentions
 */
import { powerLevelOf } from '../matrix/event-auth/power-levels.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { isJsonObject } from '../matrix/json/json-value.ts';
import { defaultRulesNotify } from '../matrix/push-rules/default-notify.ts';
import type { MentionRow } from '../storage/stores/mention-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';

/** Stands for everybody in the room, in the column of the user. */
export const everybody = 0;
/** Of one event; further ones are not highlighted. */
const mentionsMax = 200;

export async function mentionsIn(ctx: RoomsContext, dag: RoomDag, event: RoomEvent): Promise<MentionRow[]> {
  const mentions = event.content['m.mentions'];
  if (!isJsonObject(mentions)) return [];
  const notify = defaultRulesNotify(event) ? 0 : 1;
  const thread = threadOf(event);
  const rows: MentionRow[] = [];
  const userIds = mentions['user_ids'];
  if (Array.isArray(userIds))
    for (const userId of new Set(userIds.slice(0, mentionsMax))) {
      if (!isUserId(userId) || userId === event.sender || !ctx.localServers.isLocal(serverOf(userId))) continue;
      const member = await dag.currentEvent('m.room.member', userId);
      if (member?.content['membership'] !== 'join') continue;
      rows.push({ user: await ctx.names.userNid(userId), thread, notify, highlight: 1 });
    }
  if (mentions['room'] === true && (await mayNotifyRoom(dag, event)))
    rows.push({ user: everybody, thread, notify, highlight: 1 });
  return rows;
}

async function mayNotifyRoom(dag: RoomDag, event: RoomEvent): Promise<boolean> {
  const create = await dag.currentEvent('m.room.create', '');
  const powerLevels = await dag.currentEvent('m.room.power_levels', '');
  if (create === undefined) return false;
  return powerLevelOf(event.sender, create, powerLevels, dag.rules) >= roomNotificationLevel(powerLevels);
}

function roomNotificationLevel(powerLevels: RoomEvent | undefined): number {
  const notifications = powerLevels?.content['notifications'];
  const level = isJsonObject(notifications) ? notifications['room'] : undefined;
  return typeof level === 'number' ? level : 50;
}

/** The thread root of an event in a thread; 'main' otherwise. */
export function threadOf(event: RoomEvent): string {
  const relation = event.content['m.relates_to'];
  const isThreaded = isJsonObject(relation) && relation['rel_type'] === 'm.thread';
  return isThreaded && typeof relation['event_id'] === 'string' ? relation['event_id'] : 'main';
}
