/** The children of an event. https://spec.matrix.org/v1.19/client-server-api/#relationships-api */
import { invalidParam } from '../../matrix/errors.ts';
import { relationOf } from '../../matrix/events/relations.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { type ChildRow, childrenBackwards, childrenForwards } from '../../storage/stores/relation-store.ts';
import { type EventRow, eventsByIds, eventsByNids } from '../../storage/stores/timeline-store.ts';
import { type Viewer, clientEvents } from '../client-events.ts';
import type { Actor, RoomsContext } from '../context.ts';
import { withFetched } from '../fetched-history.ts';
import { isVisible } from '../history-visibility.ts';
import { firstOrdAfter, formatTimelineToken, parseTimelineToken } from '../pagination-token.ts';
import type { Page, Range } from '../timeline-page.ts';
import { viewer } from '../read-state.ts';
import { pduOf } from '../stored-event.ts';
import { openVisibleEvent } from '../visible-event.ts';

export interface RelationsRequest {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly relType?: string | undefined;
  readonly eventType?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly dir: 'b' | 'f';
  readonly limit: number;
  /** undefined: not asked, and then its depth is not told. */
  readonly recurse?: boolean | undefined;
}

/** Relations are followed to children of children of children. */
const recursionDepth = 3;

/**
 * `GET /rooms/{roomId}/relations/{eventId}` in its three forms. Bounded: a page may come back short, even empty, with a
 * `next_batch` to go on from. Errors: M_NOT_FOUND, also for what the user may not see; M_INVALID_PARAM (tokens).
 */
export async function readRelations(ctx: RoomsContext, actor: Actor, request: RelationsRequest): Promise<JsonObject> {
  const opened = await openVisibleEvent(ctx, actor, request.roomId, request.eventId);
  const { dir, eventId: targetId, recurse } = request;
  const newest = firstOrdAfter(opened.pos);
  const from = request.from === undefined ? undefined : ordOf(request.from, 'from');
  const to = request.to === undefined ? undefined : ordOf(request.to, 'to');
  const start = Math.min(from ?? (dir === 'b' ? newest : 0), newest);
  const stop = Math.min(to ?? (dir === 'b' ? 0 : newest), newest);
  const search: Search = { ...request, room: opened.dag.room, targetId, viewer: await viewer(ctx, actor, opened) };
  const limit = Math.min(request.limit, limits.relationsMax);
  const page = await readPage(ctx, search, { start, stop, limit });
  return {
    chunk: await clientEvents(ctx, page.rows, search.viewer),
    ...(page.end === undefined ? {} : { next_batch: formatTimelineToken(page.end) }),
    ...(request.from === undefined ? {} : { prev_batch: request.from }),
    ...(recurse === undefined ? {} : { recursion_depth: recurse ? recursionDepth : 1 }),
  };
}

interface Search extends RelationsRequest {
  readonly room: number;
  readonly targetId: EventId;
  readonly viewer: Viewer;
}

async function readPage(ctx: RoomsContext, search: Search, range: Range): Promise<Pick<Page, 'rows' | 'end'>> {
  const found: EventRow[] = [];
  let at = range.start;
  for (let scanned = 0; scanned < limits.messagesScannedMax;) {
    // One more than is wanted tells whether this is the end.
    const chunkSize = Math.max(range.limit - found.length + 1, 20);
    const children = await readChildren(ctx, search, { ...range, start: at, limit: chunkSize });
    scanned += children.length;
    const wanted = await wantedEvents(ctx, search, children);
    for (const { ord, nid } of children) {
      if (found.length >= range.limit) return { rows: found, end: at };
      at = search.dir === 'b' ? ord : ord + 1;
      const row = wanted.get(nid);
      // An event of an old room version may relate to itself, and so be found at two depths.
      if (row !== undefined && found.at(-1)?.nid !== nid) found.push(row);
    }
    if (children.length < chunkSize) return { rows: found, end: undefined };
  }
  return { rows: found, end: at };
}

/** The next children in the timeline's order, at most `limit`; fewer only where there are no more. */
async function readChildren(ctx: RoomsContext, search: Search, range: Range): Promise<ChildRow[]> {
  const { room, targetId, relType, dir, recurse } = search;
  const { start, stop, limit } = range;
  const bounds = dir === 'b' ? { before: start, after: stop - 1 } : { before: stop, after: start - 1 };
  const wanted = { room, targetId, ...bounds, limit };
  const queries = dir === 'b' ? childrenBackwards : childrenForwards;
  const depths = [
    relType === undefined ? ctx.db.all(queries.direct, wanted) : ctx.db.all(queries.ofType, { ...wanted, relType }),
    ...(recurse === true ? [ctx.db.all(queries.second, wanted), ctx.db.all(queries.third, wanted)] : []),
  ];
  const children = (await Promise.all(depths)).flat();
  children.sort(dir === 'b' ? (a, b) => b.ord - a.ord : (a, b) => a.ord - b.ord);
  return children.slice(0, limit);
}

/** Those of the children that the viewer may see and asked for, by number. */
async function wantedEvents(
  ctx: RoomsContext,
  search: Search,
  children: readonly ChildRow[],
): Promise<ReadonlyMap<number, EventRow>> {
  if (children.length === 0) return new Map();
  const rows = await ctx.db.all(eventsByNids, { nids: children.map(({ nid }) => nid) });
  const viewer = { ...search.viewer, timeline: await withFetched(ctx, search.viewer.timeline, rows) };
  const between = await eventsBetween(ctx, search, children);
  const byNid = new Map(rows.map((row) => [row.nid, row]));
  const wanted = new Map<number, EventRow>();
  for (const child of children) {
    const row = byNid.get(child.nid);
    if (row === undefined || !isShown(viewer, row) || !passes(search, row)) continue;
    if (leadsToTarget(search, child, between)) wanted.set(child.nid, row);
  }
  return wanted;
}

/** Through which indirect children relate to the event, by id. */
async function eventsBetween(
  ctx: RoomsContext,
  { targetId }: Search,
  children: readonly ChildRow[],
): Promise<ReadonlyMap<string, EventRow>> {
  const ids = new Set<string>();
  for (const child of children) {
    if (child.target_id === targetId) continue;
    ids.add(child.target_id);
    if (child.target2_id !== null && child.target2_id !== targetId) ids.add(child.target2_id);
  }
  const rows = ids.size === 0 ? [] : await ctx.db.all(eventsByIds, { eventIds: [...ids] });
  return new Map(rows.map((row) => [row.event_id, row]));
}

/** Every event on the way must still relate to the next one, and pass the filters too. */
function leadsToTarget(search: Search, child: ChildRow, between: ReadonlyMap<string, EventRow>): boolean {
  let next = child.target_id;
  for (let depth = 1; next !== search.targetId; depth++) {
    const row = between.get(next);
    if (row === undefined || depth === recursionDepth || !passes(search, row)) return false;
    const relation = relationOf({ content: pduOf(row)['content'] as JsonObject });
    if (relation === undefined) return false;
    next = relation.targetId;
  }
  return true;
}

function passes({ relType, eventType }: Search, row: EventRow): boolean {
  if (relType === undefined && eventType === undefined) return true;
  const { type, content } = pduOf(row) as { type: string; content: JsonObject };
  return (
    (eventType === undefined || type === eventType) &&
    (relType === undefined || relationOf({ content })?.relType === relType)
  );
}

function isShown({ timeline, ignored }: Viewer, row: EventRow): boolean {
  const isRelated = row.ord !== null && (row.flags & EventFlag.redacted) === 0;
  const isIgnored = row.skey === null && ignored.includes(row.sender);
  return isRelated && !isIgnored && isVisible(timeline, row.pos ?? 0);
}

function ordOf(token: string, name: string): number {
  const ord = parseTimelineToken(token);
  if (ord === undefined) throw invalidParam(`${name} is not a token of this server`);
  return ord;
}
