/** States that another server handed in for parents that are not known here (R5). */
import type { EventId } from '../../matrix/ids/ids.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import { insertGivenState } from '../../storage/stores/state-line-store.ts';
import { MissingEvents } from './contract.ts';
import { completeState } from './lines.ts';
import type { RoomView } from './room-view.ts';
import { NOW, type Point, type VirtualState } from './state-point.ts';

/** Lists of events as the caller gave them, and the same by state key. */
export type GivenLists = ReadonlyMap<EventId, readonly EventId[]>;
type GivenState = ReadonlyMap<number, number>;

/** Where the given states of an event's parents are. null: folded into the state of the event itself. */
export type GivenPoints = ReadonlyMap<EventId, Point | null>;

/** Throws MissingEvents when a list names an event that is not stored. */
export async function loadGivenStates(view: RoomView, given: GivenLists): Promise<Map<EventId, GivenState>> {
  const byList = new Map<readonly EventId[], GivenState>();
  const states = new Map<EventId, GivenState>();
  for (const [parentId, list] of given) {
    const state = byList.get(list) ?? (await loadState(view, list));
    byList.set(list, state);
    states.set(parentId, state);
  }
  return states;
}

export async function loadState(view: RoomView, list: readonly EventId[]): Promise<GivenState> {
  const places = await view.places([...new Set(list)]);
  const missing = list.filter((eventId) => !places.has(eventId));
  if (missing.length > 0) throw new MissingEvents(missing, []);
  const state = new Map<number, number>();
  for (const { skey, nid } of places.values()) if (skey !== null) state.set(skey, nid);
  return state;
}

/** As a difference from another state: O(state), once. */
export async function virtualStateOf(view: RoomView, state: GivenState, base: Point): Promise<VirtualState> {
  const current = await completeState(view.lines, base);
  const difference = new Map<number, number | null>();
  for (const [skey, nid] of state) if (current.get(skey) !== nid) difference.set(skey, nid);
  for (const skey of current.keys()) if (!state.has(skey)) difference.set(skey, null);
  return { base, difference };
}

export async function storeGivenStates(
  view: RoomView,
  states: ReadonlyMap<EventId, GivenState>,
  base: Point,
): Promise<Map<EventId, Point>> {
  const byState = new Map<GivenState, Point>();
  const points = new Map<EventId, Point>();
  for (const [parentId, state] of states) {
    const point =
      byState.get(state) ?? (await view.lines.store(await virtualStateOf(view, state, base), undefined, NOW));
    byState.set(state, point);
    points.set(parentId, point);
  }
  return points;
}

export function emitGivenStates(unit: UnitBuilder, nid: number, pos: number, points: GivenPoints): void {
  for (const [parentId, point] of points) {
    const at = point === null ? FOLDED : { line: point.line, pos: point.pos === NOW ? pos : point.pos };
    unit.run(insertGivenState, { nid, parentId, line: at.line, pos: at.pos });
  }
}

/** No line has the number 0. */
const FOLDED: Point = { line: 0, pos: 0 };
export const isFolded = (line: number): boolean => line === FOLDED.line;
