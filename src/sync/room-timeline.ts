/** The timeline of one room in one response. */
import type { RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { includesRoom, matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import { limits } from '../platform/limits.ts';
import { ownTransactions, plainEvents } from '../rooms/client-events.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import type { TimelineEntry } from '../rooms/event-effects.ts';
import { withFetched } from '../rooms/fetched-history.ts';
import { type VisibilityTimeline, isVisible, membershipAt } from '../rooms/history-visibility.ts';
import { openGapsAmong } from '../rooms/fill-gaps.ts';
import { firstOrdAfter, posBefore } from '../rooms/pagination-token.ts';
import { ignoredNids } from '../rooms/read-state.ts';
import { type FoundBundle, bundledRelations } from '../rooms/relations/bundles.ts';
import { roomByNid } from '../storage/stores/room-graph-store.ts';
import { type EventPlace, type EventRow, timelineBackwards } from '../storage/stores/timeline-store.ts';
import { type EventFragment, renderEvent } from './event-fragments.ts';
import type { RoomLook } from './first-look.ts';
import type { RoomReader } from './room-reader.ts';
import type { SyncPass } from './sync-request.ts';

export interface TimelineEvent {
  readonly nid: number;
  readonly ord: number;
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
  /** Whether the state may have changed otherwise than by these events. */
  readonly otherStateChanged: boolean;
}

/** What a pass wants of one room's timeline. */
export interface TimelineWish {
  readonly dag: RoomDag;
  readonly reader: RoomReader;
  /** -1: from the beginning. */
  readonly since: number;
  readonly until: number;
  /** What was read of the room already. */
  readonly look?: Pick<RoomLook, 'newest' | 'transactions' | 'bundles'> | undefined;
  /** undefined: the reader was joined all the time and sees everything. */
  readonly visibility: VisibilityTimeline | undefined;
}

/** From memory where the room's newest events reach back to `since`; from the database otherwise. */
export async function loadTimeline(pass: SyncPass, wish: TimelineWish): Promise<RoomTimeline> {
  if (!includesRoom(pass.request.filter.room.timeline, wish.dag.roomId)) return nothingIn(wish);
  return (await timelineFromTail(pass, wish)) ?? timelineFromDatabase(pass, wish);
}

/** The position of the state before the first event; where there is none, the end of what was asked for. */
export function startOfTimeline(timeline: RoomTimeline, until: number): number {
  const [first] = timeline.events;
  return first === undefined ? until : posBefore(first.ord);
}

const nothingIn = ({ until }: TimelineWish): RoomTimeline => ({
  events: [],
  limited: false,
  prevBatch: firstOrdAfter(until),
  otherStateChanged: true,
});

export const timelineLimit = (filter: RoomEventFilter): number =>
  Math.min(filter.limit ?? limits.timelineEventsDefault, limits.timelineEventsMax);

async function timelineFromTail(pass: SyncPass, wish: TimelineWish): Promise<RoomTimeline | undefined> {
  const { ctx, request } = pass;
  if (wish.since < 0 || wish.visibility !== undefined) return undefined;
  const entries = ctx.tails.after(wish.dag.room, wish.since)?.filter((entry) => entry.pos <= wish.until);
  // What is missing before an event may have come meanwhile.
  if (entries === undefined || entries.some(({ isAfterGap }) => isAfterGap)) return undefined;
  const filter = request.filter.room.timeline;
  const wanted = entries.filter(({ event }) => matchesRoomEventFilter(filter, event));
  if (wanted.length > timelineLimit(filter)) return undefined;
  const fragments = await ctx.fragments.ofEntries(wanted, wish.dag.rules, wish.reader);
  const seesPrevious = await wish.reader.previousSeen(fragments);
  const events = wanted.map((entry, index): TimelineEvent => {
    const fragment = fragmentAt(fragments, index);
    const transactionId = ownTransactionId(entry, request.requester.deviceNid);
    const { userNid } = request.requester;
    const reader = { userNid, transactionId, membership: 'join', seesPrevious: seesPrevious(fragment) };
    return { nid: entry.nid, ord: entry.ord, fragment, text: renderEvent(fragment, pass.nowMs, reader) };
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

function ownTransactionId({ transaction }: TimelineEntry, deviceNid: number): string | undefined {
  return transaction?.deviceNid === deviceNid ? transaction.txnId : undefined;
}

async function timelineFromDatabase(pass: SyncPass, wish: TimelineWish): Promise<RoomTimeline> {
  const { ctx } = pass;
  const { found, limited, isOfLook } = await readBackwards(pass, wish);
  const rows = found.map(({ row }) => row);
  const transactions = isOfLook ? wish.look?.transactions : undefined;
  const ownIds = transactions ?? (await ownTransactions(ctx.rooms, rows, pass.request.requester));
  const seesPrevious = await wish.reader.previousSeen(found.map(({ fragment }) => fragment));
  // Who gets a timeline without a gap has every relation as an event of its own; a room that is new begins with a gap.
  const hasGap = limited || (wish.since < 0 && pass.since >= 0);
  const relations = hasGap
    ? await relationsText(pass, wish, found, isOfLook ? wish.look?.bundles : undefined)
    : undefined;
  const events = found.map(({ row, fragment }): TimelineEvent => {
    if (row.ord === null) throw new Error(`event ${row.nid} has no place in the timeline`);
    const { visibility } = wish;
    const membership = visibility === undefined ? 'join' : (membershipAt(visibility, row.pos ?? 0) ?? 'leave');
    const reader = {
      userNid: pass.request.requester.userNid,
      transactionId: ownIds.get(row.nid),
      membership,
      seesPrevious: seesPrevious(fragment),
      relations: relations?.get(row.nid),
    };
    return { nid: row.nid, ord: row.ord, fragment, text: renderEvent(fragment, pass.nowMs, reader) };
  });
  return { events, limited, prevBatch: events[0]?.ord ?? firstOrdAfter(wish.until), otherStateChanged: true };
}

/** Bundled aggregations, by the number of the event. https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events */
async function relationsText(
  { ctx: { rooms }, request: { requester } }: SyncPass,
  { visibility, until }: TimelineWish,
  found: readonly Found[],
  known: readonly FoundBundle[] | undefined,
): Promise<ReadonlyMap<number, string>> {
  const rows = found.map(({ row }) => row);
  const nids = new Set(rows.map(({ nid }) => nid));
  const bundles = known?.filter(({ nid }) => nids.has(nid));
  if (bundles?.length === 0) return new Map();
  const { userNid, deviceNid } = requester;
  const ignored = await ignoredNids(rooms, requester);
  const viewer = { userNid, deviceNid, timeline: visibility ?? seesEverything, until, ignored };
  const toClient = async (rows: readonly EventRow[]) =>
    (await plainEvents(rooms, rows, viewer)).map(({ room_id: _roomId, ...event }) => event);
  const told = await bundledRelations(rooms, rows, viewer, toClient, { found: bundles });
  return new Map([...told].map(([nid, bundle]) => [nid, JSON.stringify(bundle)]));
}

/** Of who was joined all the time. */
const seesEverything: VisibilityTimeline = {
  visibilities: [{ pos: -1, value: 'world_readable' }],
  memberships: [{ pos: -1, value: 'join' }],
};

interface Found {
  readonly row: EventPlace;
  readonly fragment: EventFragment;
}

interface FoundBackwards {
  readonly found: Found[];
  readonly limited: boolean;
  /** Nothing beyond the first look was read. */
  readonly isOfLook: boolean;
}

/**
 * The newest events that the filter wants, oldest first, back to the first one that the reader may not see, or before which something
 * is missing here. Bounded: `limited` when it gave up.
 */
async function readBackwards(pass: SyncPass, wish: TimelineWish): Promise<FoundBackwards> {
  const { ctx, request } = pass;
  const { room } = wish.dag;
  const filter = request.filter.room.timeline;
  const limit = timelineLimit(filter);
  const after = wish.since < 0 ? -1 : firstOrdAfter(wish.since) - 1;
  const found: Found[] = [];
  let look = wish.look?.newest;
  let isOfLook = look !== undefined;
  const result = (limited: boolean): FoundBackwards => ({ found: found.reverse(), limited, isOfLook });
  let before = firstOrdAfter(wish.until);
  let chunkSize = limit + 1;
  for (let scanned = 0; scanned < limits.messagesScannedMax;) {
    isOfLook = look !== undefined;
    const rows: readonly (EventPlace | EventRow)[] =
      look ?? (await ctx.rooms.db.all(timelineBackwards, { room, before, after, limit: chunkSize }));
    look = undefined;
    const fragments = await ctx.fragments.ofPlaces(rows, wish.reader);
    const visibility = wish.visibility && (await withFetched(ctx.rooms, wish.visibility, rows));
    const gaps = await openGapsAmong(ctx.rooms, wish.dag, rows);
    for (const [index, row] of rows.entries()) {
      before = row.ord ?? before;
      const fragment = fragmentAt(fragments, index);
      if (visibility !== undefined && !isVisible(visibility, row.pos ?? 0)) {
        // A timeline has no holes: the state after one would not follow from its events.
        if (found.length > 0) return result(true);
        continue;
      }
      if (matchesRoomEventFilter(filter, fragment)) {
        if (found.length === limit) return result(true);
        found.push({ row, fragment });
      }
      // The client asks for what is missing before it, and it is fetched then.
      if (found.length > 0 && gaps.has(row.nid)) return result(true);
    }
    if (rows.length < chunkSize) return result(await isPurgedAfter(ctx.rooms, wish));
    scanned += rows.length;
    // What was read so far did not suffice, so little of it passes.
    chunkSize = Math.min(2 * chunkSize, chunkSizeMax);
  }
  return result(true);
}

const chunkSizeMax = 500;

/** Whether events that the client was not told of yet may have been forgotten. */
async function isPurgedAfter(rooms: RoomsContext, { dag, since }: TimelineWish): Promise<boolean> {
  if (since < 0) return false;
  const row = await rooms.db.one(roomByNid, { room: dag.room });
  return row !== undefined && since < row.purge_pos - 1;
}

function fragmentAt(fragments: readonly EventFragment[], index: number): EventFragment {
  const fragment = fragments[index];
  if (fragment === undefined) throw new Error('one fragment for each event');
  return fragment;
}
