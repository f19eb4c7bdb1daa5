/**
 * Unread counts without a row per reader: the room counts what the default push rules notify for, a user's marker says how
 * far they have read, and only deviations are stored (docs/decisions: unread counts).
 * https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { everybody } from '../rooms/mentions.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import type { Database } from '../storage/database.ts';
import { type MentionRow, mentionsAbove } from '../storage/stores/mention-store.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import { notifySeqBefore } from '../storage/stores/timeline-store.ts';
import { type CustomCounts, extendCounts } from './custom-counts.ts';
import type { SyncContext } from './sync-request.ts';
import type { SyncUser } from './sync-user.ts';

export interface UnreadCounts {
  readonly notification: number;
  readonly highlight: number;
}

/** What counts of a user in a room depend on, besides the room's own count. Kept until the user reads or is mentioned. */
export interface ReadMarker {
  readonly notifyRead: number;
  /** Events that count for the user and not for the room, less those that were redacted. */
  readonly extra: number;
  readonly highlight: number;
  /** Of those who changed their push rules. */
  custom: CustomCounts;
}

/** Of the room as it was at `now`. */
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
  const notifySeq = ctx.tails.notifySeqAt(dag.room, now) ?? (await loadNotifySeq(db, dag.room, now));
  return {
    notification: Math.max(0, notifySeq - marker.notifyRead + marker.extra),
    highlight: marker.highlight,
  };
}

async function loadMarker(db: Database, user: SyncUser, room: number): Promise<ReadMarker> {
  const version = user.markersVersion;
  const row = await db.one(userRoom, { user: user.userNid, room });
  if (row === undefined) return { notifyRead: 0, extra: 0, highlight: 0, custom: countedUpTo(0) };
  const mentions = await db.all(mentionsAbove, { user: user.userNid, room, above: row.read_ord });
  // Whoever is mentioned by name has a row of their own, which says all there is to say for them.
  const events = new Map<number, MentionRow>();
  for (const row of mentions) if (row.user !== everybody || !events.has(row.ord)) events.set(row.ord, row);
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

async function loadNotifySeq(db: Database, room: number, now: number): Promise<number> {
  return (await db.one(notifySeqBefore, { room, before: firstOrdAfter(now) }))?.notify_seq ?? 0;
}
