/**
 * What relates to events, summarised in their unsigned data: `m.relations`. The cost is that of a page, not of its events, and
 * does not grow with what relates to them.
 * https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events
 */
import { relationOf } from '../../matrix/events/relations.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import {
  type BundleRow,
  type KnownChild,
  bundlesOf,
  newestChildren,
  referencesTo,
} from '../../storage/stores/relation-store.ts';
import { type EventPlace, type EventRow, eventsByNids } from '../../storage/stores/timeline-store.ts';
import type { Viewer } from '../client-events.ts';
import type { RoomsContext } from '../context.ts';
import { withFetched } from '../fetched-history.ts';
import { isVisible } from '../history-visibility.ts';
import { firstOrdAfter } from '../pagination-token.ts';
import { pduOf } from '../stored-event.ts';

/** Events as this response shows them, in the order of `rows`, without what relates to them. */
export type ToClient = (rows: readonly EventRow[]) => Promise<readonly JsonObject[]>;

export interface BundleOptions {
  readonly isNested?: boolean;
  /** What `findBundles` gave of these events; absent: that is not known. */
  readonly found?: readonly FoundBundle[] | undefined;
}
export type FoundBundle = BundleRow;

/** Which of the events something relates to; they may be of many rooms. */
export async function findBundles(
  ctx: RoomsContext,
  rows: readonly EventPlace[],
  viewer: Pick<Viewer, 'userNid' | 'until' | 'ignored'>,
): Promise<FoundBundle[]> {
  // State events get no bundles.
  const nids = rows.flatMap((row) => (row.skey === null ? row.nid : []));
  if (nids.length === 0) return [];
  const query = { before: beforeOf(viewer), user: viewer.userNid, ignored: viewer.ignored };
  return ctx.db.all(bundlesOf, { nids, ...query });
}

async function withBodies(
  ctx: RoomsContext,
  rows: readonly (EventPlace | EventRow)[],
  found: readonly FoundBundle[],
): Promise<ReadonlyMap<number, EventRow>> {
  const wanted = new Set(found.map(({ nid }) => nid));
  const parents = rows.filter((row) => wanted.has(row.nid));
  const missing = parents.flatMap((row) => ('body' in row ? [] : row.nid));
  const read = missing.length === 0 ? [] : await ctx.db.all(eventsByNids, { nids: missing });
  return new Map([...parents.filter((row) => 'body' in row), ...read].map((row) => [row.nid, row]));
}

/** By the number of the event; only of those that something is to be told of. All of one room. */
export async function bundledRelations(
  ctx: RoomsContext,
  rows: readonly (EventPlace | EventRow)[],
  viewer: Viewer,
  toClient: ToClient,
  options: BundleOptions = {},
): Promise<ReadonlyMap<number, JsonObject>> {
  const found = options.found ?? (await findBundles(ctx, rows, viewer));
  if (found.length === 0) return new Map();
  const parents = await withBodies(ctx, rows, found);
  const children = await childrenOf(ctx, found);
  const reader = { ...viewer, timeline: await withFetched(ctx, viewer.timeline, [...children.values()]) };
  const choices = await Promise.all(
    found.flatMap((row) => {
      const parent = parents.get(row.nid);
      return parent === undefined ? [] : [choose(ctx, reader, parent, row, children)];
    }),
  );
  return render(ctx, choices, viewer, toClient, options.isNested ?? false);
}

/** What is told of one event, chosen but not yet written. */
interface Choice {
  readonly parent: EventRow;
  readonly edit: EventRow | undefined;
  readonly thread: { readonly latest: EventRow; readonly count: number; readonly participated: boolean } | undefined;
  readonly hasReferences: boolean;
}

async function choose(
  ctx: RoomsContext,
  viewer: Viewer,
  parent: EventRow,
  row: BundleRow,
  children: ReadonlyMap<number, EventRow>,
): Promise<Choice> {
  const relation = relationOf({ content: pduOf(parent)['content'] as JsonObject });
  const mayHaveEdits = (parent.flags & EventFlag.redacted) === 0 && relation?.relType !== 'm.replace';
  const edit = row.edit === null || !mayHaveEdits ? undefined : children.get(row.edit);
  const latest = row.latest === null || relation !== undefined ? undefined : children.get(row.latest);
  return {
    parent,
    edit: edit && (isShown(viewer, edit) ? edit : await visibleEdit(ctx, viewer, parent)),
    thread: latest && (await threadOf(ctx, viewer, parent, row, latest)),
    hasReferences: row.reference !== null,
  };
}

async function threadOf(
  ctx: RoomsContext,
  viewer: Viewer,
  parent: EventRow,
  row: BundleRow,
  latest: EventRow,
): Promise<Choice['thread']> {
  const participated = row.participated !== null || parent.sender === viewer.userNid;
  if (isShown(viewer, latest))
    return { latest, count: Math.max(1, (row.events ?? 0) - row.later - row.ignored), participated };
  const visible = await visibleChildren(ctx, viewer, parent, 'm.thread');
  const [newest] = await rowsOf(ctx, visible.slice(0, 1));
  return newest && { latest: newest, count: visible.length, participated };
}

/** Where the most recent one is hidden from the viewer. */
async function visibleEdit(ctx: RoomsContext, viewer: Viewer, parent: EventRow): Promise<EventRow | undefined> {
  const type = pduOf(parent)['type'];
  const valid = (await visibleChildren(ctx, viewer, parent, 'm.replace')).filter(
    (child) => child.sender === parent.sender && child.variant === type,
  );
  const [edit] = await rowsOf(ctx, valid.toSorted(moreRecentFirst).slice(0, 1));
  return edit;
}

/** https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mreplace-relationships */
function moreRecentFirst(a: KnownChild, b: KnownChild): number {
  return b.ts - a.ts || (a.event_id < b.event_id ? 1 : -1);
}

/** For those from whom a stretch of history is hidden: looked up event by event, and not further back than a page. */
async function visibleChildren(
  ctx: RoomsContext,
  viewer: Viewer,
  parent: EventRow,
  relType: string,
): Promise<KnownChild[]> {
  const limit = limits.hiddenChildrenScannedMax;
  const { room, event_id: targetId } = parent;
  const rows = await ctx.db.all(newestChildren, { room, targetId, relType, before: beforeOf(viewer), limit });
  return rows.filter((row) => isSeen(viewer, row.pos) && !viewer.ignored.includes(row.sender));
}

async function render(
  ctx: RoomsContext,
  choices: readonly Choice[],
  viewer: Viewer,
  toClient: ToClient,
  isNested: boolean,
): Promise<ReadonlyMap<number, JsonObject>> {
  const latest = isNested ? [] : choices.flatMap(({ thread }) => thread?.latest ?? []);
  const shown = [...choices.flatMap(({ edit }) => edit ?? []), ...latest];
  const events = shown.length === 0 ? [] : await toClient(shown);
  const eventOf = new Map(shown.map((row, index) => [row.nid, events[index] ?? {}]));
  // The newest event of a thread may have been edited itself.
  const inner = await bundledRelations(ctx, latest, viewer, toClient, { isNested: true });
  const references = await referencesOf(ctx, choices, viewer);
  const bundles = new Map<number, JsonObject>();
  for (const { parent, edit, thread } of choices) {
    const chunk = references.get(parent.nid);
    const replace = edit && eventOf.get(edit.nid);
    const threadLatest = thread && !isNested ? eventOf.get(thread.latest.nid) : undefined;
    const bundle = {
      ...(threadLatest === undefined || thread === undefined
        ? {}
        : {
            'm.thread': {
              latest_event: withRelations(threadLatest, inner.get(thread.latest.nid)),
              count: thread.count,
              current_user_participated: thread.participated,
            },
          }),
      ...(replace === undefined ? {} : { 'm.replace': replace }),
      ...(chunk === undefined ? {} : { 'm.reference': { chunk } }),
    };
    if (Object.keys(bundle).length > 0) bundles.set(parent.nid, bundle);
  }
  return bundles;
}

/** The event with `bundle` in its unsigned data. */
export function withRelations(event: JsonObject, bundle: JsonObject | undefined): JsonObject {
  if (bundle === undefined) return event;
  return { ...event, unsigned: { ...(event['unsigned'] as JsonObject | undefined), 'm.relations': bundle } };
}

async function referencesOf(
  ctx: RoomsContext,
  choices: readonly Choice[],
  viewer: Viewer,
): Promise<ReadonlyMap<number, readonly JsonObject[]>> {
  const nids = choices.filter(({ hasReferences }) => hasReferences).map(({ parent }) => parent.nid);
  if (nids.length === 0) return new Map();
  const { bundledReferencesMax: each, bundledReferencesPerPageMax: limit } = limits;
  const rows = await ctx.db.all(referencesTo, { nids, before: beforeOf(viewer), each, limit });
  const chunks = new Map<number, JsonObject[]>();
  for (const { target, event_id: eventId, sender, pos } of rows) {
    if (!isSeen(viewer, pos) || viewer.ignored.includes(sender)) continue;
    const chunk = chunks.get(target);
    if (chunk === undefined) chunks.set(target, [{ event_id: eventId }]);
    else chunk.push({ event_id: eventId });
  }
  return chunks;
}

async function childrenOf(ctx: RoomsContext, found: readonly BundleRow[]): Promise<ReadonlyMap<number, EventRow>> {
  const nids = new Set(found.flatMap(({ edit, latest }) => [edit, latest]).filter((nid) => nid !== null));
  const rows = nids.size === 0 ? [] : await ctx.db.all(eventsByNids, { nids: [...nids] });
  return new Map(rows.map((row) => [row.nid, row]));
}

async function rowsOf(ctx: RoomsContext, children: readonly KnownChild[]): Promise<EventRow[]> {
  return children.length === 0 ? [] : ctx.db.all(eventsByNids, { nids: children.map(({ nid }) => nid) });
}

/** What was redacted since it was found relates to nothing any more. */
const isShown = (viewer: Viewer, row: EventRow): boolean =>
  (row.flags & EventFlag.redacted) === 0 && isSeen(viewer, row.pos);
const isSeen = (viewer: Viewer, pos: number | null): boolean => pos !== null && isVisible(viewer.timeline, pos);

/** What comes later is told as an event of its own. */
const beforeOf = (viewer: Pick<Viewer, 'until'>): number => firstOrdAfter(viewer.until);
