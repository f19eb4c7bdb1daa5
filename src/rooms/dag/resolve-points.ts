/** State resolution over points of the state log, at a cost that grows with their difference (R5, R9, R16). */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import {
  type AuthDagNeed,
  computeAuthChainsWithin,
  computeFullConflictedSet,
} from '../../matrix/state-res/full-conflicted-set.ts';
import { isPowerEvent } from '../../matrix/state-res/power-ordering.ts';
import { resolveConflictsV1 } from '../../matrix/state-res/resolve-v1.ts';
import { resolveFullConflictedSet } from '../../matrix/state-res/resolve-v2.ts';
import { runStepsAsync } from '../../matrix/state-res/steps.ts';
import { canonicalPoint, differingKeys, eventsAt } from './lines.ts';
import { ResolutionData } from './resolution-data.ts';
import type { RoomView } from './room-view.ts';
import { NOW, type Point, type VirtualState, pointKey } from './state-point.ts';

/** The state that a set of states resolves to, as a difference from the nearest of them. */
export async function resolvePoints(view: RoomView, points: readonly Point[]): Promise<VirtualState> {
  const different = new Map<string, Point>();
  for (const point of points) {
    const canonical = await canonicalPoint(view.lines, point);
    different.set(pointKey(canonical), canonical);
  }
  const states = [...different.values()];
  const [first] = states;
  if (first === undefined) throw new Error('there is nothing to resolve');
  if (states.length === 1) return { base: first, difference: new Map() };
  const { memo } = view.room;
  const known = memo.get(states);
  if (known !== undefined) return known;
  const resolved = await resolveStates(view, states);
  // a position that is still to be given would not be found again
  if (![...states, resolved.base].some((point) => point.pos === NOW)) memo.set(states, resolved);
  return resolved;
}

/** Values of the keys that differ: one map per state. */
interface Differences {
  readonly keys: ReadonlySet<number>;
  readonly states: readonly ReadonlyMap<number, number>[];
}

async function resolveStates(view: RoomView, states: readonly Point[]): Promise<VirtualState> {
  const differences = await findDifferences(view, states);
  const [first] = states;
  if (differences.keys.size === 0) return { base: first!, difference: new Map() };
  const resolve = view.room.rules.stateResolution.algorithm === 'v1' ? resolveV1 : resolveV2;
  const resolved = await resolve(view, first!, differences);
  return nearest(view, states, differences, resolved);
}

async function findDifferences(view: RoomView, points: readonly Point[]): Promise<Differences> {
  const [first, ...others] = points;
  const candidates = new Set<number>();
  for (const other of others) for (const skey of await differingKeys(view.lines, first!, other)) candidates.add(skey);
  const states: Map<number, number>[] = [];
  for (const point of points) states.push(await eventsAt(view.lines, point, candidates));
  const keys = new Set<number>();
  for (const skey of candidates) {
    const event = states[0]!.get(skey);
    if (states.some((state) => state.get(skey) !== event)) keys.add(skey);
  }
  return { keys, states };
}

/** The result as a difference from the state that needs the fewest rows, shallow lines first. */
async function nearest(
  view: RoomView,
  points: readonly Point[],
  { states }: Differences,
  resolved: ReadonlyMap<number, number | null>,
): Promise<VirtualState> {
  let best: VirtualState | undefined;
  let bestCost = Infinity;
  for (const [index, base] of points.entries()) {
    const difference = new Map<number, number | null>();
    for (const [skey, event] of resolved) if ((states[index]!.get(skey) ?? null) !== event) difference.set(skey, event);
    const cost = difference.size * 16 + (await view.lines.header(base.line)).depth;
    if (cost >= bestCost) continue;
    best = { base, difference };
    bestCost = cost;
  }
  return best!;
}

/** The event of each key that differs, and of keys that no state had: resolution may find an event for them. */
async function resolveV2(
  view: RoomView,
  anyState: Point,
  { keys, states }: Differences,
): Promise<Map<number, number | null>> {
  const { rules, create } = view.room;
  if (rules.stateResolution.algorithm !== 'v2') throw new Error('not a room of state resolution v2');
  const data = new ResolutionData(view, anyState, keys);
  const supplyDag = (need: AuthDagNeed) => data.supplyDag(need);
  const conflicted = states.map(
    (state) => new Set([...state].filter(([skey]) => keys.has(skey)).map(([, nid]) => nid)),
  );
  const steps = computeFullConflictedSet(conflicted, data.dag, data.unconflictedKeys, rules.stateResolution);
  const fullNids = await runStepsAsync(steps, supplyDag);
  const full = await data.loadEvents(fullNids);
  const powerNids = [...full].filter(([, event]) => isPowerEvent(event)).map(([nid]) => nid);
  const chains = await runStepsAsync(computeAuthChainsWithin(powerNids, fullNids, data.dag), supplyDag);
  const [anyEvent] = full.values();
  if (anyEvent === undefined) throw new Error('states differ, but no event does');
  const resolution = resolveFullConflictedSet(
    {
      full: [...full.values()],
      inPowerChains: [...chains].map((nid) => full.get(nid)!.eventId),
      // only room versions whose events do not cite the create event look at it
      create: create?.event ?? anyEvent,
    },
    data.source,
    rules,
  );
  const resolved = await runStepsAsync(resolution, (need) => data.supplyEvents(need));
  const result = new Map<number, number | null>([...keys].map((skey) => [skey, null]));
  const found = [...resolved.values()].map((event) => data.keyOf(event));
  const unconflicted = await data.loadUnconflictedNids(found.map(({ skey }) => skey));
  // step 5 of the algorithm: what all states agree on stays
  for (const { skey, nid } of found) if ((unconflicted.get(skey) ?? null) === null) result.set(skey, nid);
  return result;
}

/** A key that only some states have is no conflict there: it has that event. */
async function resolveV1(
  view: RoomView,
  anyState: Point,
  { keys, states }: Differences,
): Promise<Map<number, number | null>> {
  const data = new ResolutionData(view, anyState, keys);
  const result = new Map<number, number | null>();
  const conflicts: RoomEvent[][] = [];
  for (const skey of keys) {
    const nids = new Set(states.map((state) => state.get(skey)).filter((nid) => nid !== undefined));
    const events = [...(await data.loadEvents(nids)).values()];
    const [first] = events;
    if (first === undefined) continue;
    if (events.length > 1) conflicts.push(events);
    else result.set(skey, data.keyOf(first).nid);
    data.setUnconflicted(first.type, first.stateKey ?? '', events.length > 1 ? null : first);
  }
  const resolution = resolveConflictsV1(conflicts, data.source, view.room.rules);
  const resolved = await runStepsAsync(resolution, (need) => data.supplyEvents(need));
  for (const event of resolved.values()) {
    const { skey, nid } = data.keyOf(event);
    result.set(skey, nid);
  }
  return result;
}
