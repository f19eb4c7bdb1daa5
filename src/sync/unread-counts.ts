/**
 * Unread counts without a row per reader: the room counts what the default push rules notify for, a user's marker says how
 * far they have read, and only deviations are stored (docs/decisions: unread counts).
 * https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
import { mentionsAbove } from '../storage/stores/mention-store.ts';
import { userRoom } from '../storage/stores/membership-store.ts';
import { timelineEnds } from '../storage/stores/timeline-store.ts';
import type { Database } from '../storage/database.ts';
import type { RoomTails } from './room-tails.ts';
import type { SyncUser } from './sync-users.ts';

export interface UnreadCounts {
  readonly notification: number;
  readonly highlight: number;
}

/** What counts of a user in a room depend on, besides the room's own count. */
export interface ReadMarker {
  readonly notifyRead: number;
  readonly extra: number;
  readonly highlight: number;
}

export async function unreadCounts(
  db: Database,
  tails: RoomTails,
  user: SyncUser,
  room: number,
): Promise<UnreadCounts> {
  const marker = user.markers.get(room) ?? (await loadMarker(db, user, room));
  const notifySeq = tails.newest(room)?.notifySeq ?? (await notifySeqOf(db, room));
  return {
    notification: Math.max(0, notifySeq - marker.notifyRead) + marker.extra,
    highlight: marker.highlight,
  };
}

async function loadMarker(db: Database, user: SyncUser, room: number): Promise<ReadMarker> {
  const version = user.markersVersion;
  const row = await db.one(userRoom, { user: user.userNid, room });
  if (row === undefined) return { notifyRead: 0, extra: 0, highlight: 0 };
  const mentions = await db.all(mentionsAbove, { user: user.userNid, room, above: row.read_ord });
  // Somebody may be mentioned by name and with everybody else: the event counts once.
  const events = new Map<number, { notify: number; highlight: number }>();
  for (const { ord, notify, highlight } of mentions) {
    const event = events.get(ord) ?? { notify: 0, highlight: 0 };
    events.set(ord, { notify: Math.max(event.notify, notify), highlight: Math.max(event.highlight, highlight) });
  }
  const all = [...events.values()];
  const marker = {
    notifyRead: row.notify_read,
    extra: all.reduce((sum, event) => sum + event.notify, 0),
    highlight: all.reduce((sum, event) => sum + event.highlight, 0),
  };
  // What changed while this was read is not to be kept.
  if (user.markersVersion === version) user.markers.set(room, marker);
  return marker;
}

async function notifySeqOf(db: Database, room: number): Promise<number> {
  const [end] = await db.all(timelineEnds, { rooms: [room] });
  return end?.notify_seq ?? 0;
}
