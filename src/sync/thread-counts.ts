/**
 * Unread counts of one reader thread by thread, the main timeline being one of them. Events in threads have rows; what the
 * room has counted beside them is the main timeline's (docs/decisions: unread counts).
 * https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { mainThread } from '../rooms/threads.ts';
import type { MentionRow } from '../storage/stores/mention-store.ts';
import { threadEventsBetween } from '../storage/stores/thread-event-store.ts';
import type { SyncContext } from './sync-request.ts';

export interface UnreadCounts {
  readonly notification: number;
  readonly highlight: number;
}
/** By thread root, and `mainThread`. */
export type ThreadCounts = ReadonlyMap<string, UnreadCounts>;

/** How far somebody has read. */
export interface ReadPlaces {
  /** Up to here everything. */
  readonly ord: number;
  /** In these threads further. */
  readonly threads: ReadonlyMap<string, number>;
}

export function readOrdIn(places: ReadPlaces, thread: string): number {
  return places.threads.get(thread) ?? places.ord;
}

/** What a reader's counts are made of, besides how many events the room has counted. */
export interface ThreadTally {
  /** Counted events of threads above the reader's place in the main timeline. */
  readonly countedInThreads: number;
  /** Of the main timeline: what deviates from the room's count. */
  readonly threads: ThreadCounts;
  /** Events up to this position are looked at. */
  readonly upToPos: number;
}

const nothing: UnreadCounts = { notification: 0, highlight: 0 };
/** Further events are not counted: nobody reads a number that large. */
const threadEventsMax = 100_000;

/** `deviations`: of the reader, above `places.ord`. */
export async function tallyThreads(
  ctx: SyncContext,
  room: number,
  places: ReadPlaces,
  deviations: readonly (MentionRow & { readonly ord: number })[],
  now: number,
): Promise<ThreadTally> {
  const threads = new Map<string, UnreadCounts>();
  for (const { ord, thread, notify, highlight } of deviations)
    if (ord > readOrdIn(places, thread)) add(threads, thread, notify, highlight);
  const start = { countedInThreads: 0, threads };
  return addStored(ctx, room, places, start, { after: places.ord, now });
}

/** With what came since; the given one stays as it is. From memory where the room's newest events reach back that far. */
export async function extendTally(
  ctx: SyncContext,
  room: number,
  places: ReadPlaces,
  tally: ThreadTally,
  now: number,
): Promise<ThreadTally> {
  if (now <= tally.upToPos) return tally;
  const entries = ctx.tails.after(room, tally.upToPos);
  if (entries === undefined)
    return addStored(ctx, room, places, tally, { after: firstOrdAfter(tally.upToPos) - 1, now });
  const rows = entries
    .filter(({ pos, thread }) => pos <= now && thread.threadId !== mainThread)
    .map(({ ord, thread }) => ({ ord, root: thread.threadId, counted: thread.counted ? 1 : 0 }));
  return { ...addRows(places, tally, rows), upToPos: now };
}

async function addStored(
  ctx: SyncContext,
  room: number,
  places: ReadPlaces,
  tally: Pick<ThreadTally, 'countedInThreads' | 'threads'>,
  { after, now }: { readonly after: number; readonly now: number },
): Promise<ThreadTally> {
  const range = { room, after, before: firstOrdAfter(now), limit: threadEventsMax };
  const rows = await ctx.rooms.db.all(threadEventsBetween, range);
  return { ...addRows(places, tally, rows), upToPos: now };
}

interface ThreadEvent {
  readonly ord: number;
  readonly root: string;
  readonly counted: number;
}

function addRows(
  places: ReadPlaces,
  { countedInThreads, threads }: Pick<ThreadTally, 'countedInThreads' | 'threads'>,
  rows: readonly ThreadEvent[],
): Pick<ThreadTally, 'countedInThreads' | 'threads'> {
  if (rows.length === 0) return { countedInThreads, threads };
  const counts = new Map(threads);
  const mainOrd = readOrdIn(places, mainThread);
  let inThreads = countedInThreads;
  for (const { ord, root, counted } of rows) {
    if (ord > mainOrd) inThreads += counted;
    if (ord > readOrdIn(places, root)) add(counts, root, counted, 0);
  }
  return { countedInThreads: inThreads, threads: counts };
}

function add(counts: Map<string, UnreadCounts>, thread: string, notification: number, highlight: number): void {
  const known = counts.get(thread) ?? nothing;
  counts.set(thread, {
    notification: known.notification + notification,
    highlight: known.highlight + highlight,
  });
}
