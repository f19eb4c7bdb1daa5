/**
 * What of a room's timeline is not here yet, fetched from other servers when somebody comes to read it.
 * https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import { limits } from '../platform/limits.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { placesByIds } from '../storage/stores/room-graph-store.ts';
import { type EventPlace, type EventRow, eventById, nextInTimeline } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { withFetched } from './fetched-history.ts';
import { historyVisibilityOf, membershipAt, valueAt } from './history-visibility.ts';
import type { HistoryGap } from './ports.ts';
import type { OpenedForReading } from './read-state.ts';
import { pduOf } from './stored-event.ts';
import type { Page, Range } from './timeline-page.ts';

/**
 * The page, read again each time that something came that belongs to it. Where something is missing that cannot be had now, or not
 * in time, the page goes on behind it, and has an `end` in any case, to ask again.
 */
export async function withGapsFilled(
  ctx: RoomsContext,
  opened: OpenedForReading,
  dir: 'b' | 'f',
  range: Range,
  read: () => Promise<Page>,
): Promise<Page> {
  const untilMs = ctx.clock.monotonicMs() + limits.historyWaitMs;
  let page = await read();
  for (let round = 0; round < limits.historyRoundsMax; round++) {
    const gap = await nextGap(ctx, opened, dir, range, page);
    if (gap === undefined) return page;
    const isFilled = ctx.clock.monotonicMs() < untilMs && (await ctx.remoteHistory.fetchBefore(gap));
    if (!isFilled) return { ...page, end: page.end ?? page.lookedTo };
    page = await read();
  }
  return page;
}

/** The first that the reader comes to and is to see something of. */
async function nextGap(
  ctx: RoomsContext,
  opened: OpenedForReading,
  dir: 'b' | 'f',
  range: Range,
  page: Page,
): Promise<HistoryGap | undefined> {
  const isFull = page.rows.length >= range.limit;
  if (dir === 'b') {
    // A page that begins right before an event begins with what is missing there.
    const gap = await gapFrom(ctx, opened, range.start);
    if (gap !== undefined) return gap;
  }
  for (const row of page.gaps) {
    // What is missing before the last event of a full page belongs to the next one.
    if (isFull && dir === 'b' && row === page.rows.at(-1)) return undefined;
    const gap = await visibleGap(ctx, opened, row);
    if (gap !== undefined) return gap;
  }
  return undefined;
}

/** Before the event at an order value, or the next one after it. undefined: nothing is missing there that the reader is to see. */
export async function gapFrom(
  ctx: RoomsContext,
  opened: OpenedForReading,
  ord: number,
): Promise<HistoryGap | undefined> {
  const next = await ctx.db.one(nextInTimeline, { room: opened.dag.room, ord });
  if (next === undefined || (next.flags & EventFlag.afterGap) === 0) return undefined;
  const row = await ctx.db.one(eventById, { eventId: next.event_id });
  return row && visibleGap(ctx, opened, row);
}

async function visibleGap(ctx: RoomsContext, opened: OpenedForReading, row: EventRow): Promise<HistoryGap | undefined> {
  const gap = await findGap(ctx, opened.dag, row);
  return gap !== undefined && (await isToBeSeen(ctx, opened, row)) ? gap : undefined;
}

/** Of these events of one room, those before which something is missing still. Reads nothing where nothing was missing when they came. */
export async function openGapsAmong(
  { db }: Pick<RoomsContext, 'db'>,
  dag: RoomDag,
  rows: readonly (EventPlace | EventRow)[],
): Promise<ReadonlySet<number>> {
  const open = new Set<number>();
  for (const place of rows) {
    if ((place.flags & EventFlag.afterGap) === 0) continue;
    const row = 'body' in place ? place : await db.one(eventById, { eventId: place.event_id });
    if (row !== undefined && (await findGap({ db }, dag, row)) !== undefined) open.add(place.nid);
  }
  return open;
}

/** undefined: everything that the event refers to has come meanwhile. */
async function findGap(
  ctx: Pick<RoomsContext, 'db'>,
  dag: RoomDag,
  row: Pick<EventRow, 'event_id' | 'body'>,
): Promise<HistoryGap | undefined> {
  const eventId = row.event_id as EventId;
  const { prevEvents } = roomEventFromPdu(pduOf(row), dag.rules, eventId);
  const places = await ctx.db.all(placesByIds, { eventIds: [...prevEvents] });
  const placed = new Set(places.filter((place) => place.pos !== null).map((place) => place.event_id));
  const missing = prevEvents.filter((id) => !placed.has(id));
  return missing.length === 0 ? undefined : { roomId: dag.roomId, eventId, missing };
}

/** Whether the reader may see what stands before the event: something new cannot have changed that. */
async function isToBeSeen(ctx: RoomsContext, { access }: OpenedForReading, row: EventRow): Promise<boolean> {
  const timeline = await withFetched(ctx, access.timeline, [row]);
  const pos = row.pos ?? 0;
  const fetched = timeline.fetched?.get(pos);
  if (fetched !== undefined) return fetched.isVisible;
  const visibility = historyVisibilityOf(valueAt(timeline.visibilities, pos));
  if (visibility === 'world_readable') return true;
  if (visibility === 'shared') return timeline.memberships.some(({ value }) => value === 'join');
  const before = membershipAt(timeline, pos - 1);
  return before === 'join' || (visibility === 'invited' && before === 'invite');
}
