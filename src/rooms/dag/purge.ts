/**
 * Forgetting history (R13). Everything is decided first and then written in units of bounded size, events before the lines
 * that their states are on; a purge that was interrupted is completed by the next one.
 */
import type { UnitBuilder, UnitTicket } from '../../storage/database.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { deleteMediaReferences } from '../../storage/stores/media-reference-store.ts';
import { deleteWaitingRedactionsBy } from '../../storage/stores/waiting-redaction-store.ts';
import { deleteSearchEntries } from '../../storage/stores/search-store.ts';
import * as store from '../../storage/stores/room-purge-store.ts';
import { placesOffTail, placesOnTail } from '../../storage/stores/room-graph-store.ts';
import type { Purged } from './contract.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { type EventPlace, placeFromRow } from './event-places.ts';
import type { HotRoom } from './hot-room.ts';
import { BEFORE_ALL, NOW, type Point } from './state-point.ts';
import { type LineRow, sortRows } from './vacuum.ts';
import { emitPlace } from './write-placement.ts';

const ITEMS_PER_UNIT = 500;

declare module '../../storage/database.ts' {
  interface WakeKinds {
    /** History is being forgotten: events below the position may be gone from the database from now on. */
    historyPurged: { readonly room: number; readonly cutPos: number };
  }
}

/** Throws Error while the room's state is partial. */
export async function purgeRoom(room: HotRoom, cutPos: number): Promise<Purged> {
  await room.settled();
  if (room.partialNid !== null) throw new Error(`${room.roomId} cannot be purged while its state is partial`);
  const plan = await planPurge(room, cutPos);
  await carryOut(room, cutPos, plan);
  return {
    events: plan.deleted.length + plan.outliers.length,
    stateChanges: plan.deadRows.length,
    lines: plan.deadLines.length,
  };
}

interface PurgePlan {
  /** Extremities below the cut: they stay, with an explicit point. */
  readonly kept: readonly EventPlace[];
  readonly mains: HotRoom['mains'];
  /** Events that something still names. */
  readonly outliers: readonly number[];
  readonly outlierIds: readonly EventId[];
  readonly deleted: readonly number[];
  /** Ids of those of them that others may relate to. */
  readonly targets: readonly EventId[];
  readonly deadLines: readonly number[];
  readonly deadRows: readonly LineRow[];
  /** Rows that stay, of events that do not. */
  readonly staleRows: readonly LineRow[];
}

async function planPurge(room: HotRoom, cutPos: number): Promise<PurgePlan> {
  const forgotten = new Map<number, EventId>();
  const kept: EventPlace[] = [];
  for await (const place of judgedEvents(room, BEFORE_ALL, cutPos - 1)) {
    if (room.extremities.has(place.eventId)) kept.push({ ...place, point: room.pointAfter(place) });
    else forgotten.set(place.nid, place.eventId);
  }
  const firstMain = Math.max(
    0,
    room.mains.findLastIndex((main) => main.fromPos <= cutPos),
  );
  const mains = room.mains.slice(firstMain);
  const lines = await planLines(room, cutPos, forgotten, kept, mains);
  const retained = await citedByRetained(room, cutPos, kept);
  const oldOutliers: number[] = [];
  const starts = new Set([...lines.named, ...retained.cited]);
  for await (const nid of outliersOf(room)) {
    // what is stored after the oldest retained event may be for one that is still to come
    if (nid < retained.firstNid) oldOutliers.push(nid);
    else starts.add(nid);
  }
  const needed = await authChains(room, starts);
  const outliers = [...forgotten.keys()].filter((nid) => needed.has(nid));
  const deleted = [...forgotten.keys(), ...oldOutliers].filter((nid) => !needed.has(nid));
  const idsOf = (nids: readonly number[]) => nids.map((nid) => forgotten.get(nid)).filter((id) => id !== undefined);
  return { ...lines, kept, mains, outliers, outlierIds: idsOf(outliers), deleted, targets: idsOf(deleted) };
}

/** Judged in (above, upTo]. */
async function* judgedEvents(room: HotRoom, above: number, upTo: number): AsyncGenerator<EventPlace> {
  const { db } = room.services;
  const limit = ITEMS_PER_UNIT;
  const upToOrd = upTo === NOW ? NOW : upTo * 1024;
  for (let aboveOrd = above * 1024; ;) {
    const rows = await db.all(placesOnTail, { room: room.room, aboveOrd, upToOrd, limit });
    yield* rows.map(placeFromRow);
    if (rows.length < limit) break;
    aboveOrd = rows.at(-1)!.ord!;
  }
  for (let from = above; ;) {
    const rows = await db.all(placesOffTail, { room: room.room, above: from, upTo, limit });
    yield* rows.map(placeFromRow);
    if (rows.length < limit) return;
    from = rows.at(-1)!.pos!;
  }
}

async function planLines(
  room: HotRoom,
  cutPos: number,
  forgotten: ReadonlyMap<number, EventId>,
  kept: readonly EventPlace[],
  mains: HotRoom['mains'],
): Promise<Pick<PurgePlan, 'deadLines' | 'deadRows' | 'staleRows'> & { readonly named: ReadonlySet<number> }> {
  const { db } = room.services;
  const lines = await db.all(store.linesOfRoom, { room: room.room });
  const parentOf = new Map(lines.map(({ line, parent, parent_pos: pos }) => [line, pointOf(parent, pos)]));
  const snapshots = new Map(lines.map(({ line }) => [line, new Array<number>()]));
  for (const { point } of kept) snapshots.get(point!.line)?.push(point!.pos);
  for (const { line } of lines) {
    const explicit = await db.all(store.pointsOfEvents, { line });
    const given = await db.all(store.pointsOfGivenStates, { line });
    snapshots.get(line)!.push(...explicit.filter(({ nid }) => !forgotten.has(nid)).map(({ spos }) => spos));
    snapshots.get(line)!.push(...given.filter(({ nid }) => !forgotten.has(nid)).map(({ pos }) => pos));
  }
  const mainLines = new Set(mains.map((main) => main.line));
  const live = liveLines(snapshots, parentOf, mainLines);
  for (const line of live) {
    const parent = parentOf.get(line);
    if (parent !== undefined) snapshots.get(parent.line)?.push(parent.pos);
  }
  const [deadRows, staleRows]: [LineRow[], LineRow[]] = [[], []];
  const named = new Set<number>();
  for (const line of live)
    await sortRows(db, line, snapshots.get(line)!, mainLines.has(line) ? cutPos : Infinity, (row, stays) => {
      if (!stays) return void deadRows.push(row);
      const isStale = row.prev !== null && (row.event === null || forgotten.has(row.event));
      if (isStale) staleRows.push(row);
      for (const nid of [row.event, isStale ? null : row.prev]) if (nid !== null) named.add(nid);
    });
  return { deadLines: lines.map(({ line }) => line).filter((line) => !live.has(line)), deadRows, staleRows, named };
}

const pointOf = (line: number | null, pos: number | null): Point | undefined =>
  line === null ? undefined : { line, pos: pos ?? 0 };

/** Lines with a point that is still needed, main lines, and their parents. */
function liveLines(
  snapshots: ReadonlyMap<number, readonly number[]>,
  parentOf: ReadonlyMap<number, Point | undefined>,
  mainLines: ReadonlySet<number>,
): Set<number> {
  const live = new Set<number>();
  for (const [start, positions] of snapshots) {
    if (positions.length === 0 && !mainLines.has(start)) continue;
    for (let line: number | undefined = start; line !== undefined && !live.has(line); line = parentOf.get(line)?.line)
      live.add(line);
  }
  return live;
}

/** The auth events of events that stay, so that they can be judged again; and the number of the oldest of those. */
async function citedByRetained(
  room: HotRoom,
  cutPos: number,
  kept: readonly EventPlace[],
): Promise<{ readonly cited: ReadonlySet<number>; readonly firstNid: number }> {
  const cited = new Set<number>();
  let firstNid = room.services.db.nextId();
  const cite = async (places: readonly EventPlace[]) => {
    const events = await room.loadEvents(places.map((place) => place.nid));
    const authIds = new Set([...events.values()].flatMap((event) => event.authEvents));
    for (const { nid } of (await room.places.find([...authIds])).values()) cited.add(nid);
  };
  let page = [...kept];
  for await (const place of judgedEvents(room, cutPos - 1, NOW)) {
    firstNid = Math.min(firstNid, place.nid);
    page.push(place);
    if (page.length < ITEMS_PER_UNIT) continue;
    await cite(page);
    page = [];
  }
  await cite(page);
  if (room.create !== undefined) cited.add(room.create.place.nid);
  return { cited, firstNid };
}

/** With everything that they reach by auth events. */
async function authChains(room: HotRoom, starts: ReadonlySet<number>): Promise<Set<number>> {
  const reached = new Set(starts);
  let level = [...starts];
  while (level.length > 0) {
    const next = new Set<number>();
    for (const node of (await room.graph.nodes(level)).values())
      for (const nid of node.auth) if (!reached.has(nid)) next.add(nid);
    for (const nid of next) reached.add(nid);
    level = [...next];
  }
  return reached;
}

async function* outliersOf(room: HotRoom): AsyncGenerator<number> {
  const limit = ITEMS_PER_UNIT;
  for (let above = 0; ;) {
    const rows = await room.services.db.all(store.outliersOf, { room: room.room, above, limit });
    for (const { nid } of rows) yield nid;
    if (rows.length < limit) return;
    above = rows.at(-1)!.nid;
  }
}

async function carryOut(room: HotRoom, cutPos: number, plan: PurgePlan): Promise<void> {
  const edges = await deadEdges(room, plan.deleted);
  const tickets: UnitTicket[] = [];
  const write = (build: (unit: UnitBuilder) => void) => tickets.push(room.write(build).ticket);
  write((unit) => {
    unit.run(store.setPurgePos, { room: room.room, pos: cutPos });
    unit.run(store.deleteMainsBefore, { room: room.room, fromPos: plan.mains[0]!.fromPos });
    unit.wake({ kind: 'mainLineChanged', room: room.room });
    for (const place of plan.kept) emitPlace(unit, place);
    unit.wake({ kind: 'historyPurged', room: room.room, cutPos });
  });
  inSlices(plan.outliers, (nids) =>
    write((unit) => {
      unit.run(store.makeOutliers, { nids, flag: EventFlag.outlier });
      unit.run(deleteSearchEntries, { nids });
      unit.run(deleteMediaReferences, { nids });
      unit.run(store.deleteGivenStatesOfAll, { nids });
    }),
  );
  inSlices(edges, (slice) => write((unit) => slice.forEach((edge) => unit.run(store.deleteAuthEdge, edge))));
  inSlices(plan.targets, (eventIds) =>
    write((unit) => {
      unit.run(store.deleteRelationsTo, { room: room.room, eventIds });
      unit.run(store.deleteThreadsOf, { room: room.room, eventIds });
    }),
  );
  inSlices(plan.deleted, (nids) => write((unit) => deleteEvents(unit, nids)));
  inSlices(plan.outlierIds, (eventIds) =>
    write((unit) => {
      unit.run(store.deleteStaleRelationsTo, { room: room.room, eventIds });
      unit.run(store.deleteThreadsOf, { room: room.room, eventIds });
    }),
  );
  inSlices(plan.deadLines, (lines) =>
    write((unit) => {
      unit.run(store.deleteLineChanges, { lines });
      unit.run(store.deleteLines, { lines });
    }),
  );
  inSlices(plan.deadRows, (rows) =>
    write((unit) => rows.forEach(({ line, skey, pos }) => unit.run(store.deleteChange, { line, skey, pos }))),
  );
  inSlices(plan.staleRows, (rows) =>
    write((unit) => rows.forEach(({ line, skey, pos }) => unit.run(store.clearPrev, { line, skey, pos }))),
  );
  forgetInMemory(room, plan);
  for (const ticket of tickets) await ticket.committed;
}

/** Edges to events that are deleted; whoever refers to a deleted event is deleted too. */
async function deadEdges(
  room: HotRoom,
  deleted: readonly number[],
): Promise<{ readonly authNid: number; readonly nid: number }[]> {
  const nodes = await room.graph.nodes(deleted);
  return [...nodes.values()].flatMap(({ nid, auth }) => auth.map((authNid) => ({ authNid, nid })));
}

function deleteEvents(unit: UnitBuilder, nids: number[]): void {
  unit.run(store.deleteGivenStatesOfAll, { nids });
  unit.run(store.deleteTransactionsOf, { nids });
  unit.run(deleteWaitingRedactionsBy, { nids });
  unit.run(store.deleteAuthNodes, { nids });
  unit.run(store.deleteBodies, { nids });
  unit.run(deleteSearchEntries, { nids });
  unit.run(deleteMediaReferences, { nids });
  unit.run(store.deleteEvents, { nids });
}

function inSlices<T>(items: readonly T[], each: (slice: T[]) => void): void {
  for (let at = 0; at < items.length; at += ITEMS_PER_UNIT) each(items.slice(at, at + ITEMS_PER_UNIT));
}

function forgetInMemory(room: HotRoom, plan: PurgePlan): void {
  const { services } = room;
  const kept = new Map(plan.kept.map((place) => [place.eventId, place]));
  room.extremities = new Map([...room.extremities].map(([id, place]) => [id, kept.get(id) ?? place]));
  room.mains = plan.mains;
  room.places.clear();
  room.graph.clear();
  room.memo.clear();
  room.resolvedFrom = undefined;
  for (const line of plan.deadLines) services.lines.forget(line);
  for (const nid of plan.deleted) services.events.forget(nid);
}
