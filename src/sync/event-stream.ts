/**
 * The deprecated stream of events, and peeking into one room, which is the same with a room.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events
 */
import type { Requester } from '../accounts/requester.ts';
import { invalidParam } from '../matrix/errors.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { Timers } from '../platform/ports.ts';
import { plainEvents } from '../rooms/client-events.ts';
import { withFetched } from '../rooms/fetched-history.ts';
import { type VisibilityTimeline, isVisible } from '../rooms/history-visibility.ts';
import { firstOrdAfter, formatRoomsToken } from '../rooms/pagination-token.ts';
import { openForReading, stateRow } from '../rooms/read-state.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import { type EventRow, timelineForwards } from '../storage/stores/timeline-store.ts';
import { type Changing, Deadline } from './deadline.ts';
import { isIgnored } from './ignored-senders.ts';
import type { SyncContext } from './sync-request.ts';
import type { RoomNews, RoomStanding, SyncUser } from './sync-user.ts';

export interface EventsRequest {
  readonly requester: Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>;
  /** Position of a token of this stream or of /sync; undefined: now. */
  readonly from: number | undefined;
  /** Only this room, which the user need not be in. */
  readonly roomId: RoomId | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for events and gives them in the order in which they came, at most `limits.messagesMax` at once.
 * Errors: M_INVALID_PARAM (from), M_FORBIDDEN (a room that the user may not read).
 */
export async function readEventStream(
  ctx: SyncContext,
  timers: Timers,
  request: EventsRequest,
  user: SyncUser,
): Promise<JsonObject> {
  const { db } = ctx.rooms;
  const from = request.from ?? db.committedPos();
  if (from > db.committedPos()) throw invalidParam('from is not a token of this server');
  const { sessionsVersion } = user;
  const source = request.roomId === undefined ? ownRooms(ctx, request, user) : await oneRoom(ctx, request, user);
  const deadline = Deadline.after(timers, request.timeoutMs, request.signal);
  try {
    for (let at = from; ;) {
      // As in /sync: what changes while this pass reads is found by the next one.
      const changed = deadline.nextChange(source);
      const { rows, upTo } = await source.rowsBetween(at, db.committedPos());
      if (rows.length > 0 || deadline.isOver || user.sessionsVersion !== sessionsVersion)
        return {
          start: formatRoomsToken(from),
          end: formatRoomsToken(upTo),
          chunk: await inOrder(ctx, request, rows),
        };
      at = upTo;
      await changed;
    }
  } finally {
    deadline.end();
  }
}

/** An event that the user may see, and what tells so. */
interface SeenRow {
  readonly row: EventRow;
  readonly visibility: VisibilityTimeline;
}
interface Page {
  readonly rows: readonly SeenRow[];
  /** Everything up to here has been looked at. */
  readonly upTo: number;
}
interface EventSource extends Changing {
  rowsBetween(after: number, until: number): Promise<Page>;
}

function ownRooms(ctx: SyncContext, request: EventsRequest, user: SyncUser): EventSource {
  return {
    onceChanged: (run) => user.onceChanged(run),
    async rowsBetween(after, until) {
      const rows: SeenRow[] = [];
      for (const news of user.newsAfter(after, false))
        if (isNews(news, after)) rows.push(...(await rowsOfOwnRoom(ctx, request, news.standing, after, until)));
      return pageOf(rows, until);
    },
  };
}

/** A room that somebody is not in has no news for them but that they are not in it. */
function isNews({ standing, change }: RoomNews, after: number): boolean {
  return standing.membership === 'join' ? change === undefined || change.eventPos > after : standing.pos > after;
}

/** Of a room that was left, what came before; of any other that the user is not in, their own membership. */
async function rowsOfOwnRoom(
  ctx: SyncContext,
  { requester }: EventsRequest,
  standing: RoomStanding,
  after: number,
  until: number,
): Promise<SeenRow[]> {
  const { rooms } = ctx;
  const { room, membership, isForgotten } = standing;
  const visibility = await loadVisibility(rooms, room, requester.userId);
  const isIn = membership === 'join';
  const wasIn = (membership === 'leave' || membership === 'ban') && !isForgotten;
  const range = { after, until: isIn ? until : standing.pos };
  const found = isIn || wasIn ? await visibleRows(ctx, requester, room, visibility, range) : [];
  if (isIn) return found;
  const dag = await rooms.dags.openByNid(room);
  const own = await stateRow(rooms, dag, until, 'm.room.member', requester.userId);
  const isTold = own?.pos == null || own.pos <= after || found.some(({ row }) => row.nid === own.nid);
  return isTold ? found : [...found, { row: own, visibility }];
}

async function oneRoom(ctx: SyncContext, request: EventsRequest, user: SyncUser): Promise<EventSource> {
  const { requester, roomId } = request;
  if (roomId === undefined) throw new Error('a room is asked for');
  const { dag } = await openForReading(ctx.rooms, requester, roomId);
  let mayHaveNews = true;
  return {
    // The end of the user's session, too, ends the waiting; their other rooms do not matter.
    onceChanged(run) {
      const stopWatching = ctx.watch.onceChanged(dag.room, () => {
        mayHaveNews = true;
        run();
      });
      const stopWaiting = user.onceChanged(run);
      return () => {
        stopWatching();
        stopWaiting();
      };
    },
    async rowsBetween(after, until) {
      if (!mayHaveNews) return { rows: [], upTo: until };
      mayHaveNews = false;
      const { access } = await openForReading(ctx.rooms, requester, roomId);
      const end = Math.min(until, access.statePos ?? until);
      return pageOf(await visibleRows(ctx, requester, dag.room, access.timeline, { after, until: end }), until);
    },
  };
}

/** One more than a page has, so that it is known whether there are more. */
async function visibleRows(
  ctx: SyncContext,
  requester: EventsRequest['requester'],
  room: number,
  visibility: VisibilityTimeline,
  { after, until }: { readonly after: number; readonly until: number },
): Promise<SeenRow[]> {
  const ignored = await ctx.rooms.ignored.of(requester);
  const seen: SeenRow[] = [];
  for (let lastOrd = firstOrdAfter(after) - 1; seen.length <= limits.messagesMax;) {
    const wish = { room, after: lastOrd, before: firstOrdAfter(until), limit: limits.messagesMax };
    const rows = await ctx.rooms.db.all(timelineForwards, wish);
    const timeline = await withFetched(ctx.rooms, visibility, rows);
    for (const row of rows)
      if (isVisible(timeline, row.pos ?? 0) && !isIgnored(ignored, row)) seen.push({ row, visibility });
    lastOrd = rows.at(-1)?.ord ?? lastOrd;
    if (rows.length < limits.messagesMax) break;
  }
  return seen;
}

/** What came at one position stays together. */
function pageOf(rows: SeenRow[], until: number): Page {
  const sorted = rows.sort((a, b) => ordOf(a) - ordOf(b));
  const next = sorted[limits.messagesMax]?.row.pos;
  if (next === undefined || next === null) return { rows: sorted, upTo: until };
  const before = sorted.filter(({ row }) => (row.pos ?? 0) < next);
  return before.length > 0
    ? { rows: before, upTo: next - 1 }
    : { rows: sorted.filter(({ row }) => row.pos === next), upTo: next };
}

const ordOf = ({ row }: SeenRow): number => row.ord ?? 0;

/** As clients get them; the events of each room are made together. */
async function inOrder(
  ctx: SyncContext,
  { requester }: EventsRequest,
  rows: readonly SeenRow[],
): Promise<readonly JsonObject[]> {
  const made = new Map<number, JsonObject>();
  for (const [, ofRoom] of Map.groupBy(rows, ({ row }) => row.room)) {
    const timeline = ofRoom[0]?.visibility ?? { visibilities: [], memberships: [] };
    const { userNid, deviceNid } = requester;
    const events = await plainEvents(
      ctx.rooms,
      ofRoom.map(({ row }) => row),
      { userNid, deviceNid, timeline },
    );
    for (const [index, event] of events.entries()) made.set(ofRoom[index]?.row.nid ?? 0, event);
  }
  return rows.map(({ row }) => made.get(row.nid)).filter((event) => event !== undefined);
}
