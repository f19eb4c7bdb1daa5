/**
 * Unread counts without a row per reader: the room counts what the default push rules notify for, a user's marker says how
 * far they have read, and only deviations are stored (docs/decisions: unread counts).
 * https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import type { Database } from '../storage/database.ts';
import { mentionsAbove } from '../storage/stores/mention-store.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import { timelineEnds } from '../storage/stores/timeline-store.ts';
import { type CustomCounts, extendCounts } from './custom-counts.ts';
import type { SyncContext } from './sync-request.ts';
import type { SyncUser } from './sync-users.ts';

export interface UnreadCounts {
  readonly notification: number;
  readonly highlight: number;
}

/** What counts of a user in a room depend on, besides the room's own count. Kept until the user reads or is mentioned. */
export interface ReadMarker {
  readonly notifyRead: number;
  /** Events that the user's rules notify for and the default ones do not. */
  readonly extra: number;
  readonly highlight: number;
  /** Of those who changed their push rules. */
  custom: CustomCounts;
}

export async function unreadCounts(
  ctx: SyncContext,
  user: SyncUser,
  userId: UserId,
  dag: RoomDag,
  now: number,
): Promise<UnreadCounts> {
  const { db } = ctx.rooms;
  const marker = user.markers.get(dag.room) ?? (await loadMarker(db, user, dag.room));
  const rules = await ctx.pushRules.customRulesOf({ userId, userNid: user.userNid });
  if (rules !== undefined) {
    const reader = { userId, userNid: user.userNid };
    marker.custom = await extendCounts(ctx.rooms, dag, reader, rules, marker.custom, now);
    return marker.custom;
  }
  const notifySeq = ctx.tails.newest(dag.room)?.notifySeq ?? (await notifySeqOf(db, dag.room));
  return {
    notification: Math.max(0, notifySeq - marker.notifyRead) + marker.extra,
    highlight: marker.highlight,
  };
}

async function loadMarker(db: Database, user: SyncUser, room: number): Promise<ReadMarker> {
  const version = user.markersVersion;
  const row = await db.one(userRoom, { user: user.userNid, room });
  if (row === undefined) return { notifyRead: 0, extra: 0, highlight: 0, custom: countedUpTo(0) };
  const mentions = await db.all(mentionsAbove, { user: user.userNid, room, above: row.read_ord });
  // Somebody may be mentioned by name and with everybody else: the event counts once.
  const events = new Map<number, { notify: number; highlight: number }>();
  for (const { ord, notify, highlight } of mentions) {
    const event = events.get(ord) ?? { notify: 0, highlight: 0 };
    events.set(ord, { notify: Math.max(event.notify, notify), highlight: Math.max(event.highlight, highlight) });
  }
  const all = [...events.values()];
  const marker: ReadMarker = {
    notifyRead: row.notify_read,
    extra: all.reduce((sum, event) => sum + event.notify, 0),
    highlight: all.reduce((sum, event) => sum + event.highlight, 0),
    custom: countedUpTo(row.read_ord),
  };
  // What changed while this was read is not to be kept.
  if (user.markersVersion === version) user.markers.set(room, marker);
  return marker;
}

const countedUpTo = (ord: number): CustomCounts => ({ notification: 0, highlight: 0, countedOrd: ord });

async function notifySeqOf(db: Database, room: number): Promise<number> {
  const [end] = await db.all(timelineEnds, { rooms: [room] });
  return end?.notify_seq ?? 0;
}
