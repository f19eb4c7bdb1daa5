/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event */
import { notFound } from '../matrix/errors.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import {
  type TimedEvent,
  eventsAfterTime,
  eventsBeforeTime,
  timedEventsFrom,
  timedEventsUpTo,
} from '../storage/stores/event-time-store.ts';
import type { Viewer } from './client-events.ts';
import type { Actor, RoomsContext } from './context.ts';
import { gapFrom } from './fill-gaps.ts';
import { withFetched } from './fetched-history.ts';
import { isVisible, type VisibilityTimeline } from './history-visibility.ts';
import { firstOrdAfter } from './pagination-token.ts';
import { type OpenedForReading, openForReading, viewer } from './read-state.ts';

const sliceEvents = 200;

/**
 * The event whose origin_server_ts is closest to a time among those that the user may see: the time itself counts in both
 * directions, and of several events of one time the first on the way. What an event says of its time is taken as it is.
 * Errors: M_FORBIDDEN, M_NOT_FOUND.
 */
export async function findEventByTime(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  { ts, dir }: { readonly ts: number; readonly dir: 'f' | 'b' },
): Promise<JsonObject> {
  const opened = await openForReading(ctx, actor, roomId);
  const search: Search = { room: opened.dag.room, ts, dir, viewer: await viewer(ctx, actor, opened) };
  const known = await closest(ctx, search);
  const found = (await hasCloser(ctx, opened, search, known)) ? await closest(ctx, search) : known;
  if (found === undefined)
    throw notFound(`There is no event from ${ts} on in the ${dir === 'f' ? 'forward' : 'backward'} direction`);
  return { event_id: found.event_id, origin_server_ts: found.ts };
}

/** Whether another server has given a closer one: where ours stands next to a gap, there may be. */
async function hasCloser(
  ctx: RoomsContext,
  opened: OpenedForReading,
  { ts, dir }: Search,
  known: TimedEvent | undefined,
): Promise<boolean> {
  if (dir === 'f' && known === undefined) return false;
  const ord = known === undefined ? Number.MIN_SAFE_INTEGER : dir === 'f' ? known.ord : known.ord + 1;
  const gap = await gapFrom(ctx, opened, ord);
  if (gap === undefined) return false;
  const closerThanMs = known === undefined ? Infinity : Math.abs(known.ts - ts);
  const question = { roomId: opened.dag.roomId, ts, dir, closerThanMs, gap: gap.eventId };
  return (await ctx.remoteHistory.fetchByTime(question)) !== undefined;
}

interface Search {
  readonly room: number;
  readonly ts: number;
  readonly dir: 'f' | 'b';
  readonly viewer: Viewer;
}

async function closest(ctx: RoomsContext, search: Search): Promise<TimedEvent | undefined> {
  const { room, ts, dir } = search;
  const query = dir === 'f' ? eventsAfterTime : eventsBeforeTime;
  let at = { ts, ord: dir === 'f' ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER };
  let last: TimedEvent | undefined;
  for (let scanned = 0; scanned < limits.messagesScannedMax; scanned += sliceEvents) {
    const rows = await ctx.db.all(query, { room, ...at, limit: sliceEvents });
    const timeline = await withFetched(ctx, search.viewer.timeline, rows);
    const found = rows.find((row) => isShown(search, timeline, row));
    last = rows.at(-1);
    if (found !== undefined || last === undefined || rows.length < sliceEvents) return found;
    at = { ts: last.ts, ord: last.ord };
  }
  return last && beyondHidden(ctx, search, last.pos ?? 0);
}

/**
 * Where a long stretch of history is hidden from the viewer, its end is found by where that changed; there times are taken
 * to follow the timeline.
 */
async function beyondHidden(ctx: RoomsContext, search: Search, pos: number): Promise<TimedEvent | undefined> {
  const { room, ts, dir, viewer: reader } = search;
  const { memberships, visibilities } = reader.timeline;
  const changes = [...new Set([...memberships, ...visibilities].map((entry) => entry.pos))].toSorted((a, b) => a - b);
  const ahead = dir === 'f' ? changes.filter((at) => at >= pos) : changes.filter((at) => at <= pos).toReversed();
  for (const at of ahead) {
    const rows =
      dir === 'f'
        ? await ctx.db.all(timedEventsFrom, { room, ord: firstOrdAfter(at - 1), limit: sliceEvents })
        : await ctx.db.all(timedEventsUpTo, { room, ord: firstOrdAfter(at) - 1, limit: sliceEvents });
    const timeline = await withFetched(ctx, reader.timeline, rows);
    const [found] = rows
      .filter((row) => (dir === 'f' ? row.ts >= ts : row.ts <= ts) && isShown(search, timeline, row))
      .toSorted((a, b) => Math.abs(a.ts - ts) - Math.abs(b.ts - ts));
    if (found !== undefined) return found;
  }
  return undefined;
}

function isShown({ viewer: reader }: Search, timeline: VisibilityTimeline, row: TimedEvent): boolean {
  const isIgnored = row.skey === null && reader.ignored.includes(row.sender);
  return row.pos !== null && !isIgnored && isVisible(timeline, row.pos);
}
