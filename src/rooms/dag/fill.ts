/**
 * The end of a partial-state join (R11): the complete state from before our join goes to a new root line, the join and its
 * descendants are judged again on it, and it becomes the main line.
 */
import type { EventId } from '../../matrix/ids/ids.ts';
import { insertChange, insertLine } from '../../storage/stores/state-line-store.ts';
import type { RejudgeOptions, Rejudged } from './contract.ts';
import { loadState } from './given-states.ts';
import type { HotRoom } from './hot-room.ts';
import { canonicalPoint, completeState } from './lines.ts';
import { type MainChange, resolveMain } from './main-line.ts';
import { refoldExtremities } from './refold-extremities.ts';
import { Rejudging } from './rejudge.ts';
import { RoomView } from './room-view.ts';
import { NOW, type Point } from './state-point.ts';
import { type RejudgePlan, writeRejudged } from './write-rejudged.ts';

const ROWS_PER_UNIT = 1_000;

/**
 * Lays the complete state down where nobody sees it yet. Needs no lock: it may take long, and events may come meanwhile.
 * Throws MissingEvents when an event of it is not stored. Without a fill afterwards it is garbage, which a purge collects.
 */
export async function layFullState(room: HotRoom, fullState: readonly EventId[]): Promise<Point> {
  const joinPos = await posOfJoin(room);
  const rows = [...(await loadState(new RoomView(room, 0), fullState))];
  const { db } = room.services;
  const base: Point = { line: db.nextId(), pos: joinPos - 1 };
  let ticket = db.write((unit) =>
    unit.run(insertLine, { line: base.line, room: room.room, parent: null, parentPos: null, depth: 0, flags: 0 }),
  );
  for (let at = 0; at < rows.length; at += ROWS_PER_UNIT) {
    const earlier = ticket;
    ticket = db.write((unit) => {
      unit.requires(earlier);
      for (const [skey, event] of rows.slice(at, at + ROWS_PER_UNIT))
        unit.run(insertChange, { line: base.line, skey, pos: base.pos, event, prev: null });
    });
    if (at % (8 * ROWS_PER_UNIT) === 0) await earlier.committed;
  }
  await ticket.committed;
  return base;
}

/** `base`: what layFullState gave. Under the room's lock. */
export async function fillRoom(room: HotRoom, base: Point, options: RejudgeOptions): Promise<Rejudged> {
  await room.settled();
  try {
    const view = new RoomView(room, Number.MAX_SAFE_INTEGER);
    const join = (await room.places.findByNids([room.partialNid ?? 0])).get(room.partialNid ?? 0);
    if (join === undefined) throw new Error(`the state of ${room.roomId} is not partial`);
    view.partialNid = null;
    const event = (await view.events([join.nid])).get(join.nid)!;
    const given = new Map(event.prevEvents.map((parentId) => [parentId, base]));
    const rejudging = new Rejudging(view, Infinity);
    await rejudging.run(join, given);
    const refolded = await refoldExtremities(view, rejudging.lineage, rejudging.countedChanged);
    const switched = await switchMain(view, base.line, refolded.extremities.values());
    const replaced = { nid: join.nid, given };
    return await writeRejudged(view, { ...rejudging.outcome, ...refolded, ...switched, replaced }, options);
  } catch (error) {
    room.memo.clear();
    room.resolvedFrom = undefined;
    throw error;
  }
}

type Switched = Pick<RejudgePlan, 'mainChanges' | 'resolvedFrom' | 'switchTo'>;

/** If even our join was rejected there is nothing to switch to. */
async function switchMain(
  view: RoomView,
  line: number,
  extremities: Iterable<Parameters<RoomView['placeOf']>[0]>,
): Promise<Switched> {
  const places = [...extremities].map((place) => view.placeOf(place));
  if (places.length === 0) return { mainChanges: [], resolvedFrom: undefined, switchTo: undefined };
  view.lines.switchMain(line, NOW);
  const main = { line, tip: await canonicalPoint(view.lines, { line, pos: NOW }) };
  const { resolvedFrom } = await resolveMain(view, places, main, undefined);
  const tip = await canonicalPoint(view.lines, { line, pos: NOW });
  const mainChanges = compare(
    await completeState(view.lines, view.room.tipPoint),
    await completeState(view.lines, tip),
  );
  return { mainChanges, resolvedFrom, switchTo: { line, tipPos: tip.pos } };
}

function compare(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): MainChange[] {
  const changes: MainChange[] = [];
  for (const [skey, event] of after) {
    const previous = before.get(skey) ?? null;
    if (event !== previous) changes.push({ skey, event, previous });
  }
  for (const [skey, previous] of before) if (!after.has(skey)) changes.push({ skey, event: null, previous });
  return changes;
}

async function posOfJoin(room: HotRoom): Promise<number> {
  const { partialNid } = room;
  const join = partialNid === null ? undefined : (await room.places.findByNids([partialNid])).get(partialNid);
  if (join === undefined || join.pos === null) throw new Error(`the state of ${room.roomId} is not partial`);
  return join.pos;
}
