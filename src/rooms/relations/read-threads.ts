/** The threads of a room. https://spec.matrix.org/v1.19/client-server-api/#querying-threads-in-a-room */
import { canonicalJsonOf } from '../../matrix/json/canonical-json.ts';
import { invalidParam } from '../../matrix/errors.ts';
import { redact } from '../../matrix/events/redact.ts';
import { relationOf } from '../../matrix/events/relations.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { encodeEventBody } from '../../storage/event-body.ts';
import { type ThreadRow, threadsBackwards, threadsWith } from '../../storage/stores/thread-store.ts';
import { type EventRow, eventsByIds } from '../../storage/stores/timeline-store.ts';
import { type Viewer, clientEvents } from '../client-events.ts';
import type { Actor, RoomsContext } from '../context.ts';
import type { RoomDag } from '../dag/contract.ts';
import { withFetched } from '../fetched-history.ts';
import { isVisible } from '../history-visibility.ts';
import { firstOrdAfter, formatTimelineToken, parseTimelineToken } from '../pagination-token.ts';
import { openForReading, viewer } from '../read-state.ts';
import { exactPduOf, pduOf } from '../stored-event.ts';

export interface ThreadsRequest {
  readonly include: 'all' | 'participated';
  readonly limit: number;
  readonly from?: string | undefined;
}

/**
 * `GET /rooms/{roomId}/threads`, by the newest event of each. Bounded: a page may come back short, even empty, with a
 * `next_batch` to go on from. Errors: M_FORBIDDEN, M_INVALID_PARAM (from).
 */
export async function readThreads(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  request: ThreadsRequest,
): Promise<JsonObject> {
  const opened = await openForReading(ctx, actor, roomId);
  const from = request.from === undefined ? Number.MAX_SAFE_INTEGER : parseTimelineToken(request.from);
  if (from === undefined) throw invalidParam('from is not a token of this server');
  const search = { dag: opened.dag, viewer: await viewer(ctx, actor, opened), include: request.include };
  const page = await readPage(ctx, search, from, Math.min(request.limit, limits.threadsMax));
  return {
    chunk: page.events,
    ...(page.end === undefined ? {} : { next_batch: formatTimelineToken(page.end) }),
  };
}

interface Search {
  readonly dag: RoomDag;
  readonly viewer: Viewer;
  readonly include: ThreadsRequest['include'];
}
interface Page {
  readonly events: readonly JsonObject[];
  /** Where the next page begins; undefined: there is none. */
  readonly end: number | undefined;
}

async function readPage(ctx: RoomsContext, search: Search, from: number, limit: number): Promise<Page> {
  const events: JsonObject[] = [];
  let at = from;
  for (let scanned = 0; scanned < limits.messagesScannedMax;) {
    // One more than is wanted tells whether this is the end.
    const chunkSize = Math.max(limit - events.length + 1, 20);
    const threads = await ctx.db.all(threadsBackwards, { room: search.dag.room, before: at, limit: chunkSize });
    scanned += threads.length;
    const roots = await rootsOf(ctx, search, threads);
    for (const { root_id: rootId, latest_ord: latestOrd } of threads) {
      if (events.length >= limit) return { events, end: at };
      at = latestOrd;
      const root = roots.get(rootId);
      if (root !== undefined) events.push(root);
    }
    if (threads.length < chunkSize) return { events, end: undefined };
  }
  return { events, end: at };
}

/** The roots of those of the threads that the viewer sees something of and asked for, by id. */
async function rootsOf(
  ctx: RoomsContext,
  search: Search,
  threads: readonly ThreadRow[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const { dag, viewer: reader } = search;
  const eventIds = threads.map(({ root_id: rootId }) => rootId);
  const found = eventIds.length === 0 ? [] : await ctx.db.all(eventsByIds, { eventIds });
  const timeline = await withFetched(ctx, reader.timeline, found);
  const rows = await wantedRoots(
    ctx,
    search,
    found.filter((row) => isRoot(dag, row) && isVisible(timeline, row.pos ?? 0)),
  );
  const events = await clientEvents(
    ctx,
    rows.map((row) => (reader.ignored.includes(row.sender) ? redacted(dag, row) : row)),
    reader,
  );
  return new Map(
    rows.flatMap((row, index) => {
      const event = events[index];
      return event !== undefined && (row.skey !== null || hasThread(event)) ? [[row.event_id, event]] : [];
    }),
  );
}

/** What relates to another event cannot start a thread, and there may be threads whose root is not known here. */
function isRoot(dag: RoomDag, row: EventRow): boolean {
  const content = pduOf(row)['content'] as JsonObject;
  return row.room === dag.room && row.ord !== null && relationOf({ content }) === undefined;
}

async function wantedRoots(ctx: RoomsContext, search: Search, rows: readonly EventRow[]): Promise<readonly EventRow[]> {
  const { userNid: user, until } = search.viewer;
  if (search.include === 'all' || rows.length === 0) return rows;
  const rootIds = rows.map((row) => row.event_id);
  const before = firstOrdAfter(until);
  const own = await ctx.db.all(threadsWith, { room: search.dag.room, rootIds, user, before });
  const participated = new Set(own.map(({ root_id: rootId }) => rootId));
  return rows.filter((row) => row.sender === user || participated.has(row.event_id));
}

/** Of a thread that is hidden from the viewer there is nothing to tell. State events get no bundles at all. */
function hasThread({ unsigned }: JsonObject): boolean {
  const relations = isJsonObject(unsigned) ? unsigned['m.relations'] : undefined;
  return isJsonObject(relations) && relations['m.thread'] !== undefined;
}

/** As clients make it of what an ignored user sent. */
function redacted({ rules }: RoomDag, row: EventRow): EventRow {
  return { ...row, body: encodeEventBody(canonicalJsonOf(rules)(redact(exactPduOf(row), rules))) };
}
