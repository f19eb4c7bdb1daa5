/**
 * Unread counts without a row per reader: the room counts what the default push rules notify for, a user's marker says how
 * far they have read, and only deviations are stored (docs/decisions: unread counts).
 * https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { everybody } from '../rooms/mentions.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { mainThread } from '../rooms/threads.ts';
import type { Database } from '../storage/database.ts';
import { type MentionRow, mentionsAbove, unreadMentions } from '../storage/stores/mention-store.ts';
import { type ReadUpTo, readUpTo, readUpToIn } from '../storage/stores/receipt-store.ts';
import { notifySeqBefore } from '../storage/stores/timeline-store.ts';
import { type CustomCounts, extendCounts, noCounts } from './custom-counts.ts';
import type { SyncContext } from './sync-request.ts';
import type { SyncUser } from './sync-user.ts';
import {
  type ReadPlaces,
  type ThreadCounts,
  type ThreadTally,
  type UnreadCounts,
  extendTally,
  readOrdIn,
  tallyThreads,
} from './thread-counts.ts';

/** What counts of a user in a room depend on, besides the room's own count. Kept until the user reads or is mentioned. */
export interface ReadMarker {
  readonly places: ReadPlaces;
  readonly notifyRead: number;
  /** Events that count for the user and not for the room, less those that were redacted. */
  readonly extra: number;
  readonly highlight: number;
  readonly deviations: readonly Deviation[];
  /** Thread by thread; undefined: nobody asked for that yet. */
  threads: { readonly mainRead: number; readonly tally: ThreadTally } | undefined;
  /** Of those who changed their push rules. */
  custom: CustomCounts;
}
type Deviation = MentionRow & { readonly ord: number };

export interface RoomCounts {
  /** Of the whole room, or of its main timeline where they are asked for by thread. */
  readonly room: UnreadCounts;
  /** By thread root, those with something to tell. */
  readonly threads: readonly (readonly [string, UnreadCounts])[];
}

interface Reader {
  readonly userId: UserId;
  readonly user: SyncUser;
  /** Whom they ignore. */
  readonly ignored: ReadonlySet<string>;
  /** How many events of the room were notified for at `now`, where the caller knows. */
  readonly notifySeq?: number | undefined;
}

/** Of the room as it was at `now`. Who ignores somebody has counts of their own, as who changed their push rules. */
export async function unreadCounts(
  ctx: SyncContext,
  { userId, user, ignored, notifySeq: known }: Reader,
  dag: RoomDag,
  now: number,
  byThread: boolean,
): Promise<RoomCounts> {
  const { db } = ctx.rooms;
  const marker = user.markers.get(dag.room) ?? (await loadMarker(db, user, dag.room));
  const owner = { userId, userNid: user.userNid };
  const rules = await (ignored.size > 0 ? ctx.pushRules.rulesOf(owner) : ctx.pushRules.customRulesOf(owner));
  if (rules !== undefined) {
    const reader = { ...owner, places: marker.places, ignored };
    marker.custom = await extendCounts(ctx.rooms, dag, reader, rules, marker.custom, now);
    return roomCounts(marker.custom.threads, byThread);
  }
  const notifySeq = known ?? ctx.tails.notifySeqAt(dag.room, now) ?? (await loadNotifySeq(db, dag.room, now));
  if (byThread || marker.places.threads.size > 0)
    return roomCounts(await countsByThread(ctx, dag.room, marker, notifySeq, now), byThread);
  const notification = Math.max(0, notifySeq - marker.notifyRead + marker.extra);
  return { room: { notification, highlight: marker.highlight }, threads: [] };
}

function roomCounts(counts: ThreadCounts, byThread: boolean): RoomCounts {
  if (!byThread) return { room: sumOf(counts.values()), threads: [] };
  return {
    room: counts.get(mainThread) ?? sumOf([]),
    threads: [...counts].filter(
      ([thread, { notification, highlight }]) => thread !== mainThread && notification + highlight > 0,
    ),
  };
}

function sumOf(counts: Iterable<UnreadCounts>): UnreadCounts {
  let [notification, highlight] = [0, 0];
  for (const each of counts) {
    notification += each.notification;
    highlight += each.highlight;
  }
  return { notification, highlight };
}

async function countsByThread(
  ctx: SyncContext,
  room: number,
  marker: ReadMarker,
  notifySeq: number,
  now: number,
): Promise<ThreadCounts> {
  const { mainRead, tally } = await threadsUpTo(ctx, room, marker, now);
  const deviating = tally.threads.get(mainThread) ?? sumOf([]);
  const counted = notifySeq - mainRead - tally.countedInThreads + deviating.notification;
  const main = { notification: Math.max(0, counted), highlight: deviating.highlight };
  return new Map([...tally.threads, [mainThread, main]]);
}

async function threadsUpTo(
  ctx: SyncContext,
  room: number,
  marker: ReadMarker,
  now: number,
): Promise<{ readonly mainRead: number; readonly tally: ThreadTally }> {
  const { places, deviations, threads: known } = marker;
  if (known !== undefined && known.tally.upToPos <= now) {
    const tally = await extendTally(ctx, room, places, known.tally, now);
    if (tally === known.tally) return known;
    return (marker.threads = { mainRead: known.mainRead, tally });
  }
  const mainOrd = readOrdIn(places, mainThread);
  const mainRead = mainOrd === places.ord ? marker.notifyRead : await notifySeqUpTo(ctx.rooms.db, room, mainOrd);
  const threads = { mainRead, tally: await tallyThreads(ctx, room, places, deviations, now) };
  // An answer about a moment that is over keeps what is known of later ones.
  if (known === undefined) marker.threads = threads;
  return threads;
}

async function loadMarker(db: Database, user: SyncUser, room: number): Promise<ReadMarker> {
  const version = user.markersVersion;
  const rows = await db.all(readUpTo, { user: user.userNid, room });
  const [row] = rows;
  const mentions = row && (await db.all(mentionsAbove, { user: user.userNid, room, above: row.read_ord }));
  const marker = markerOf(rows, mentions ?? []);
  // What changed while this was read is not to be kept.
  if (row !== undefined && user.markersVersion === version) user.markers.set(room, marker);
  return marker;
}

/** What is known of no room yet, for many rooms together. */
export async function prepareMarkers(
  { rooms: { db } }: SyncContext,
  user: SyncUser,
  all: readonly number[],
): Promise<void> {
  const rooms = all.filter((room) => !user.markers.has(room));
  if (rooms.length === 0) return;
  const version = user.markersVersion;
  const read = Map.groupBy(await db.all(readUpToIn, { user: user.userNid, rooms }), (row) => row.room);
  const mentions = Map.groupBy(await db.all(unreadMentions, { user: user.userNid, rooms }), (row) => row.room);
  if (user.markersVersion !== version) return;
  for (const [room, rows] of read) user.markers.set(room, markerOf(rows, mentions.get(room) ?? []));
}

function markerOf(rows: readonly ReadUpTo[], mentions: readonly Deviation[]): ReadMarker {
  const places = placesOf(rows);
  const deviations = deviationsOf(mentions);
  return {
    places,
    notifyRead: rows[0]?.notify_read ?? 0,
    extra: deviations.reduce((sum, event) => sum + event.notify, 0),
    highlight: deviations.reduce((sum, event) => sum + event.highlight, 0),
    deviations,
    threads: undefined,
    custom: noCounts(places.ord),
  };
}

/** From the rows of `readUpTo`. */
export function placesOf(rows: readonly ReadUpTo[]): ReadPlaces {
  const threads = new Map<string, number>();
  for (const { thread, ord } of rows)
    if (thread !== null && ord !== null) threads.set(thread, Math.max(threads.get(thread) ?? 0, ord));
  return { ord: rows[0]?.read_ord ?? 0, threads };
}

/** Whoever is mentioned by name has a row of their own, which says all there is to say for them. */
function deviationsOf(mentions: readonly Deviation[]): Deviation[] {
  const events = new Map<number, Deviation>();
  for (const row of mentions) if (row.user !== everybody || !events.has(row.ord)) events.set(row.ord, row);
  return [...events.values()];
}

async function loadNotifySeq(db: Database, room: number, now: number): Promise<number> {
  return notifySeqUpTo(db, room, firstOrdAfter(now) - 1);
}

async function notifySeqUpTo(db: Database, room: number, ord: number): Promise<number> {
  return (await db.one(notifySeqBefore, { room, before: ord + 1 }))?.notify_seq ?? 0;
}
