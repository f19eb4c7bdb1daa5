/** Paging through a room's timeline, and single events of it. */
import { invalidParam, missingParam } from '../matrix/errors.ts';
import { parseRoomEventFilter, type RoomEventFilter } from '../matrix/filters/event-filter.ts';
import { includesRoom, matchesRoomEventFilter } from '../matrix/filters/matches-filter.ts';
import type { EventId, RoomId, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { parseJson } from '../matrix/json/parse-json.ts';
import { limits } from '../platform/limits.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { relatedEvents } from '../storage/stores/relation-store.ts';
import { type EventRow, eventById, timelineBackwards, timelineForwards } from '../storage/stores/timeline-store.ts';
import { clientEvents } from './client-events.ts';
import type { Actor, RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { type IsErased, erasedFor, shownPdu, sourceEvent } from './erasure.ts';
import { withGapsFilled } from './fill-gaps.ts';
import { withFetched } from './fetched-history.ts';
import { isVisible } from './history-visibility.ts';
import { firstOrdAfter, formatTimelineToken, parseTimelineToken } from './pagination-token.ts';
import { type OpenedForReading, memberRows, openForReading, stateRows, viewer } from './read-state.ts';
import type { ReadAccess } from './visibility.ts';
import type { Page, Range } from './timeline-page.ts';
import { noSuchEvent, openVisibleEvent, visibleRow } from './visible-event.ts';

/** History that was fetched may stand before 0. */
const beforeAll = Number.MIN_SAFE_INTEGER + 1;

export interface MessagesRequest {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Required; that it is missing is told only to those who may read the room. */
  readonly dir: 'b' | 'f' | undefined;
  readonly limit: number;
  /** A RoomEventFilter as JSON text. */
  readonly filter?: string | undefined;
}

/**
 * `GET /rooms/{roomId}/messages`. `end` is absent when there is nothing further in that direction; of events that a filter chose, when
 * there was none.
 * Errors: M_FORBIDDEN, M_MISSING_PARAM (dir), M_INVALID_PARAM (tokens), M_NOT_JSON and M_BAD_JSON (filter).
 */
export async function readMessages(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  request: MessagesRequest,
): Promise<JsonObject> {
  const opened = await openForReading(ctx, actor, roomId);
  const { dag, access, pos } = opened;
  const { dir } = request;
  if (dir === undefined) throw missingParam('query.dir is missing');
  const filter = await readFilter(ctx, actor, request.filter);
  const newest = firstOrdAfter(pos);
  const from = request.from === undefined ? undefined : tokenOf(request.from, 'from');
  const start = Math.min(from ?? (dir === 'b' ? newest : beforeAll), newest);
  const to = request.to === undefined ? undefined : tokenOf(request.to, 'to');
  const limit = Math.min(request.limit, filter?.limit ?? request.limit, limits.messagesMax);
  const range = { start, stop: to ?? (dir === 'b' ? beforeAll : newest), limit };
  const read = (): Promise<Page> => readPage(ctx, dag, access, filter, dir, range);
  // Forwards from the beginning, everything there ever was would have to be fetched first.
  const isFilled = dir === 'b' || from !== undefined;
  const page = isFilled ? await withGapsFilled(ctx, opened, dir, range, read) : await read();
  const state = filter?.lazyLoadMembers === true ? await membersOfSenders(ctx, dag, page.rows, pos) : [];
  const reader = await viewer(ctx, actor, opened);
  const chunk = await clientEvents(ctx, page.rows, reader);
  return {
    start: request.from ?? formatTimelineToken(start),
    ...(page.end === undefined ? {} : { end: formatTimelineToken(page.end) }),
    chunk,
    ...(state.length === 0 ? {} : { state: await clientEvents(ctx, state, reader) }),
  };
}

/** `GET /rooms/{roomId}/event/{eventId}`. Errors: M_NOT_FOUND, also for what the user may not see. */
export async function readEvent(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  eventId: EventId,
): Promise<JsonObject> {
  const opened = await openVisibleEvent(ctx, actor, roomId, eventId);
  const [event] = await clientEvents(ctx, [opened.row], await viewer(ctx, actor, opened));
  return event ?? {};
}

/** `GET /events/{eventId}`, which names no room. Errors: as `readEvent`. */
export async function readEventAnywhere(ctx: RoomsContext, actor: Actor, eventId: EventId): Promise<JsonObject> {
  const row = await ctx.db.one(eventById, { eventId });
  if (row === undefined) throw noSuchEvent();
  return readEvent(ctx, actor, (await ctx.dags.openByNid(row.room)).roomId, eventId);
}

/** `GET /rooms/{roomId}/context/{eventId}`: half of the limit before, half after, and the state after the last one. */
export async function readContext(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  eventId: EventId,
  limit: number,
  filterText: string | undefined,
): Promise<JsonObject> {
  const opened = await openForReading(ctx, actor, roomId);
  const { dag, access, pos } = opened;
  const filter = await readFilter(ctx, actor, filterText);
  const row = await visibleRow(ctx, actor, opened, eventId);
  const ord = row.ord ?? 0;
  const most = Math.min(limit, limits.messagesMax);
  const range = { start: ord, stop: beforeAll, limit: Math.ceil(most / 2) };
  const before = await withGapsFilled(ctx, opened, 'b', range, () => readPage(ctx, dag, access, filter, 'b', range));
  const after = await readPage(ctx, dag, access, filter, 'f', {
    start: ord + 1,
    stop: firstOrdAfter(pos),
    limit: Math.floor(most / 2),
  });
  const last = after.rows.at(-1) ?? row;
  const statePos = Math.min(last.pos ?? pos, pos);
  const state = await stateAround(ctx, dag, access, filter, [...before.rows, row, ...after.rows], statePos);
  const reader = await viewer(ctx, actor, opened);
  const [event, ...around] = await clientEvents(ctx, [row, ...before.rows, ...after.rows], reader);
  return {
    start: formatTimelineToken(before.rows.at(-1)?.ord ?? ord),
    end: formatTimelineToken((last.ord ?? ord) + 1),
    events_before: around.slice(0, before.rows.length),
    event,
    events_after: around.slice(before.rows.length),
    state: await clientEvents(ctx, state, reader),
  };
}

/** What stands before and after an event, the nearest first, of what its reader may see and wants to. */
export async function eventsAround(
  ctx: RoomsContext,
  actor: Actor,
  { dag, access, pos }: OpenedForReading,
  ord: number,
  limitsOf: { readonly before: number; readonly after: number },
): Promise<{ readonly before: readonly EventRow[]; readonly after: readonly EventRow[] }> {
  const filter = await readFilter(ctx, actor, undefined);
  const [earlier, later] = await Promise.all([
    readPage(ctx, dag, access, filter, 'b', { start: ord, stop: beforeAll, limit: limitsOf.before }),
    readPage(ctx, dag, access, filter, 'f', { start: ord + 1, stop: firstOrdAfter(pos), limit: limitsOf.after }),
  ]);
  return { before: earlier.rows, after: later.rows };
}

/** The whole state that the filter wants; loaded lazily, of the memberships only those of who sent something. */
async function stateAround(
  ctx: RoomsContext,
  dag: RoomDag,
  access: ReadAccess,
  filter: RoomEventFilter | undefined,
  rows: readonly EventRow[],
  pos: number,
): Promise<EventRow[]> {
  const state =
    filter?.lazyLoadMembers === true
      ? [...(await stateRows(ctx, dag, pos, 'without-members')), ...(await membersOfSenders(ctx, dag, rows, pos))]
      : await stateRows(ctx, dag, pos, 'all');
  const isErased = erasedFor(ctx, access.timeline);
  return state.filter((row) => passes(filter, dag, row, isErased));
}

/**
 * Reads on until the page is full: what the user may not see or the filter leaves out does not count. Bounded: a page
 * may come back short, even empty, with an `end` to go on from.
 */
async function readPage(
  ctx: RoomsContext,
  dag: RoomDag,
  access: ReadAccess,
  filter: RoomEventFilter | undefined,
  dir: 'b' | 'f',
  range: Range,
): Promise<Page> {
  const isErased = erasedFor(ctx, access.timeline);
  const rows: EventRow[] = [];
  const gaps: EventRow[] = [];
  let at = range.start;
  let leavesOut = false;
  const pageTo = (end: number | undefined): Page => ({ rows, end, lookedTo: at, gaps });
  for (let scanned = 0; scanned < limits.messagesScannedMax;) {
    // One more than is wanted tells whether this is the end.
    const chunkSize = Math.max(range.limit - rows.length + 1, 20);
    const chunk = await readChunk(ctx, dag, dir, { ...range, start: at, limit: chunkSize });
    scanned += chunk.length;
    const timeline = await withFetched(ctx, access.timeline, chunk);
    const isRelated = await relatedIn(ctx, access, filter, chunk);
    for (const row of chunk) {
      if (rows.length >= range.limit) return pageTo(at);
      if ((row.flags & EventFlag.afterGap) !== 0) gaps.push(row);
      if (row.ord !== null) at = dir === 'b' ? row.ord : row.ord + 1;
      const isSeen = isVisible(timeline, row.pos ?? 0);
      if (!isSeen) continue;
      if (isRelated(row) && passes(filter, dag, row, isErased)) rows.push(row);
      else leavesOut = true;
    }
    // Some clients look for `end` behind every event that a filter found: they learn from an empty page that it was the last.
    if (chunk.length < chunkSize) return pageTo(leavesOut && rows.length > 0 ? at : undefined);
  }
  return pageTo(at);
}

/** Whether something relates to an event as `related_by_senders` and `related_by_rel_types` want it. */
async function relatedIn(
  ctx: RoomsContext,
  access: ReadAccess,
  filter: RoomEventFilter | undefined,
  rows: readonly EventRow[],
): Promise<(row: EventRow) => boolean> {
  const { relatedByRelTypes: relTypes, relatedBySenders: userIds } = filter ?? {};
  if ((relTypes === undefined && userIds === undefined) || rows.length === 0) return () => true;
  const senders = (await ctx.names.findUserNids((userIds ?? []) as UserId[])).filter((nid) => nid !== undefined);
  const found = await ctx.db.all(relatedEvents, {
    nids: rows.map((row) => row.nid),
    before: firstOrdAfter(access.statePos ?? ctx.db.committedPos()),
    anyType: relTypes === undefined ? 1 : 0,
    relTypes: relTypes ?? [],
    anySender: userIds === undefined ? 1 : 0,
    senders,
  });
  const related = new Set(found.map(({ nid }) => nid));
  return (row) => related.has(row.nid);
}

function readChunk(ctx: RoomsContext, dag: RoomDag, dir: 'b' | 'f', range: Range): Promise<EventRow[]> {
  const { start, stop, limit } = range;
  return dir === 'b'
    ? ctx.db.all(timelineBackwards, { room: dag.room, before: start, after: stop - 1, limit })
    : ctx.db.all(timelineForwards, { room: dag.room, before: stop, after: start - 1, limit });
}

/** By what the reader gets of the event. */
function passes(filter: RoomEventFilter | undefined, dag: RoomDag, row: EventRow, isErased: IsErased): boolean {
  if (filter === undefined) return true;
  if (!includesRoom(filter, dag.roomId)) return false;
  return matchesRoomEventFilter(filter, filterableOf(row, shownPdu(sourceEvent(row), dag.rules, isErased)));
}

/** The membership events of those who sent something, each once. */
async function membersOfSenders(
  ctx: RoomsContext,
  dag: RoomDag,
  rows: readonly EventRow[],
  pos: number,
): Promise<EventRow[]> {
  return memberRows(ctx, dag, pos, await ctx.names.userIds([...new Set(rows.map((row) => row.sender))]));
}

/** With whom the reader ignores. */
async function readFilter(
  ctx: RoomsContext,
  actor: Actor,
  text: string | undefined,
): Promise<RoomEventFilter | undefined> {
  const filter = text === undefined ? undefined : parseRoomEventFilter(parseJson(text), 'filter');
  const ignoredSenders = await ctx.ignored.of(actor);
  return ignoredSenders.size === 0 ? filter : { ...(filter ?? parseRoomEventFilter({}, 'filter')), ignoredSenders };
}

function filterableOf(row: EventRow, pdu: JsonObject) {
  const { type, sender, content } = pdu as { type: string; sender: string; content: JsonObject };
  return { type, sender, content, stateKey: row.skey === null ? undefined : '' };
}

function tokenOf(token: string, name: string): number {
  const ord = parseTimelineToken(token);
  if (ord === undefined) throw invalidParam(`${name} is not a token of this server`);
  return ord;
}
