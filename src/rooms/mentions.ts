/**
 * Whose unread counts an event moves otherwise than everybody's (docs/decisions: unread counts). Only local users who are
 * joined are looked at; the cost grows with the mentions, not with the members.
 * https://spec.matrix.org/v1.19/client-server-api/#user-and-room-mentions
 */
import { powerLevelOf } from '../matrix/event-auth/power-levels.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { isJsonObject } from '../matrix/json/json-value.ts';
import { defaultRules, defaultRulesNotify, defaultRulesOutcome } from '../matrix/push-rules/default-notify.ts';
import { type PushRoom, senderMayNotify } from '../matrix/push-rules/push-context.ts';
import { pushEventOf } from '../matrix/push-rules/push-event.ts';
import type { PushOutcome } from '../matrix/push-rules/push-outcome.ts';
import type { MentionRow } from '../storage/stores/mention-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';

/** Stands for everybody in the room, in the column of the user. */
export const everybody = 0;
/** Of one event; further ones are not highlighted. */
const mentionsMax = 200;
const manyMembers = 3;

/** `thread`: the one that the event is in. */
export async function mentionsIn(
  ctx: RoomsContext,
  dag: RoomDag,
  event: RoomEvent,
  thread: string,
): Promise<MentionRow[]> {
  // Nearly every event: the default rules say the same of it for all members, and nothing is highlighted.
  if (!mayDeviate(event)) return [];
  const room = await pushRoomOf(dag, event);
  const shared = defaultRulesOutcome(event, room);
  const counted = defaultRulesNotify(event);
  const rows = deviation(everybody, thread, shared.outcome, counted);
  for (const userId of shared.namedUserIds.slice(0, mentionsMax)) {
    if (!isUserId(userId) || userId === event.sender || !ctx.localServers.isLocal(serverOf(userId))) continue;
    const member = await dag.currentEvent('m.room.member', userId);
    if (member?.content['membership'] !== 'join') continue;
    const outcome = defaultRules.evaluate(pushEventOf(event), room, { userId, displayName: undefined });
    rows.push(...deviation(await ctx.names.userNid(userId), thread, outcome, counted));
  }
  return rows;
}

/** Whether the default rules may say something else of it for some than for all, or highlight it. */
export function mayDeviate(event: RoomEvent): boolean {
  return isJsonObject(event.content['m.mentions']) || event.type === 'm.room.tombstone';
}

/** Of users who are named in an event, those of this server, whether or not a row was made for them. */
export async function mentionedUsers(ctx: RoomsContext, event: RoomEvent): Promise<number[]> {
  if (!mayDeviate(event)) return [];
  const { namedUserIds } = defaultRulesOutcome(event, { memberCount: manyMembers, senderMayNotify: () => false });
  const local = namedUserIds
    .slice(0, mentionsMax)
    .filter(isUserId)
    .filter((id) => ctx.localServers.isLocal(serverOf(id)));
  const nids = await ctx.names.findUserNids(local);
  return nids.filter((nid) => nid !== undefined);
}

/** What push rules ask about the room. In the default rules the number of members changes sounds and not counts. */
export async function pushRoomOf(dag: RoomDag, event: RoomEvent, memberCount = manyMembers): Promise<PushRoom> {
  const create = await dag.currentEvent('m.room.create', '');
  const powerLevels = await dag.currentEvent('m.room.power_levels', '');
  const level = powerLevelOf(event.sender, create, powerLevels, dag.rules);
  return { memberCount, senderMayNotify: (key) => senderMayNotify(key, level, powerLevels?.content) };
}

/** A row only where the user's counts differ from the room's. */
function deviation(user: number, thread: string, outcome: PushOutcome, counted: boolean): MentionRow[] {
  const notify = outcome.notify && !counted ? 1 : 0;
  const highlight = outcome.highlight ? 1 : 0;
  return notify + highlight === 0 ? [] : [{ user, thread, notify, highlight }];
}
