/** The timeline and the state that go with it, of one room in one response. */
import { type RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import { limits } from '../platform/limits.ts';
import { ownTransactions } from '../rooms/client-events.ts';
import { type VisibilityTimeline, isVisible, membershipAt } from '../rooms/history-visibility.ts';
import { firstOrdAfter } from '../rooms/pagination-token.ts';
import { type EventRow, timelineBackwards } from '../storage/stores/timeline-store.ts';
import { type EventFragment, renderEvent } from './event-fragments.ts';
import { type SyncPass, timelineLimitDefault } from './sync-request.ts';

export interface TimelineEvent {
  readonly nid: number;
  readonly ord: number;
  readonly pos: number;
  readonly fragment: EventFragment;
  readonly text: string;
}
export interface RoomTimeline {
  /** Oldest first. */
  readonly events: readonly TimelineEvent[];
  /** There are further events between `since` and the first of these. */
  readonly limited: boolean;
  /** The order value right before which earlier events are found. */
  readonly prevBatch: number;
  /** Whether the state changed otherwise than by these events. */
  readonly otherStateChanged: boolean;
}

/** What a pass wants of one room's timeline. */
export interface TimelineWish {
  readonly room: number;
  /** -1: from the beginning. */
  readonly since: number;
  readonly until: number;
  /** undefined: the reader was joined all the time and sees everything. */
  readonly visibility: VisibilityTimeline | undefined;
}

export function timelineLimit(filter: RoomEventFilter): number {
  return Math.min(filter.limit ?? timelineLimitDefault, limits.timelineEventsMax);
}

/** From memory where the room's newest events reach back to `since`; from the database otherwise. */
export async function loadTimeline(pass: SyncPass, wish: TimelineWish): Promise<RoomTimeline> {
  return (await timelineFromTail(pass, wish)) ?? timelineFromDatabase(pass, wish);
}

async function timelineFromTail(pass: SyncPass, wish: TimelineWish): Promise<RoomTimeline | undefined> {
  const { ctx, request } = pass;
  if (wish.since < 0 || wish.visibility !== undefined) return undefined;
  const tail = ctx.tails.after(wish.room, wish.since);
  if (tail === undefined) return undefined;
  const entries = tail.filter((entry) => entry.pos <= wish.until);
  const filter = request.filter.room.timeline;
  const wanted = entries.filter(({ event }) => matchesRoomEventFilter(filter, event));
  if (wanted.length > timelineLimit(filter)) return undefined;
  const { rules } = await ctx.rooms.dags.openByNid(wish.room);
  const fragments = await ctx.fragments.ofEntries(wanted, rules);
  const { deviceNid } = request.requester;
  const events = wanted.map((entry, index) => {
    const fragment = fragmentAt(fragments, index);
    const { transaction } = entry;
    const transactionId = transaction?.deviceNid === deviceNid ? transaction.txnId : undefined;
    const text = renderEvent(fragment, pass.nowMs, { transactionId, membership: 'join' });
    return { nid: entry.nid, ord: entry.ord, pos: entry.pos, fragment, text };
  });
  return {
    events,
    limited: false,
    prevBatch: events[0]?.ord ?? firstOrdAfter(wish.since),
    // What the filter leaves out of the timeline may still be state.
    otherStateChanged:
      entries.some((entry) => entry.otherStateChanged) ||
      (wanted.length < entries.length && entries.some(({ event }) => event.stateKey !== undefined)),
  };
}

async function timelineFromDatabase(pass: SyncPass, wish: TimelineWish): Promise<RoomTimeline> {
  const { ctx, request } = pass;
  const filter = request.filter.room.timeline;
  const limit = timelineLimit(filter);
  const after = wish.since < 0 ? -1 : firstOrdAfter(wish.since) - 1;
  const found: EventRow[] = [];
  const fragments = new Map<number, EventFragment>();
  let before = firstOrdAfter(wish.until);
  let limited = false;
  for (let scanned = 0; !limited;) {
    const wanted = limit + 1 - found.length;
    const rows = await ctx.rooms.db.all(timelineBackwards, { room: wish.room, before, after, limit: wanted });
    const chunk = await ctx.fragments.ofRows(rows);
    for (const [index, row] of rows.entries()) {
      before = row.ord ?? before;
      const fragment = fragmentAt(chunk, index);
      if (wish.visibility !== undefined && !isVisible(wish.visibility, row.pos ?? 0)) continue;
      if (!matchesRoomEventFilter(filter, fragment)) continue;
      fragments.set(row.nid, fragment);
      found.push(row);
    }
    scanned += rows.length;
    if (found.length > limit || scanned > limits.messagesScannedMax) limited = true;
    else if (rows.length < wanted) break;
  }
  const rows = found.slice(0, limit).reverse();
  const transactions = await ownTransactions(ctx.rooms, rows, request.requester);
  const events = rows.map((row): TimelineEvent => {
    const fragment = fragments.get(row.nid);
    if (fragment === undefined || row.ord === null) throw new Error(`event ${row.nid} has no place in the timeline`);
    const pos = row.pos ?? 0;
    const membership = wish.visibility === undefined ? 'join' : (membershipAt(wish.visibility, pos) ?? 'leave');
    const text = renderEvent(fragment, pass.nowMs, { transactionId: transactions.get(row.nid), membership });
    return { nid: row.nid, ord: row.ord, pos, fragment, text };
  });
  return { events, limited, prevBatch: events[0]?.ord ?? firstOrdAfter(wish.until), otherStateChanged: true };
}

function fragmentAt(fragments: readonly EventFragment[], index: number): EventFragment {
  const fragment = fragments[index];
  if (fragment === undefined) throw new Error('one fragment for each event');
  return fragment;
}
