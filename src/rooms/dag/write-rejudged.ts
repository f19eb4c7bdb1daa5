/** The unit of judging again, and what changes in memory with it. */
import type { EventId } from '../../matrix/ids/ids.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { setRoomMainLine, setRoomPartial } from '../../storage/stores/room-graph-store.ts';
import { deleteGivenStatesOf } from '../../storage/stores/state-line-store.ts';
import { backfillPlace } from './backfill-order.ts';
import type { RejudgeOptions, Rejudged, StateChange } from './contract.ts';
import { type EventPlace, isRejected } from './event-places.ts';
import { type RefUpdate, emitExtremities, emitRefUpdates } from './extremities.ts';
import { type GivenPoints, emitGivenStates } from './given-states.ts';
import type { MainChange } from './main-line.ts';
import { memoKey } from './resolution-memo.ts';
import type { RoomView } from './room-view.ts';
import { NOW, type Point } from './state-point.ts';
import { applyMainChanges, describeChanges, emitPlace, settledPlace, settledPoint } from './write-placement.ts';

declare module '../../storage/database.ts' {
  interface WakeKinds {
    /** Events were judged again: the current state and the timeline may have changed without a new event. */
    rejudged: { readonly room: number; readonly pos: number };
  }
}

export interface RejudgedEvents {
  /** In causal order, as they are now. */
  readonly accepted: readonly EventPlace[];
  readonly rejected: readonly EventPlace[];
}

export interface RejudgePlan extends RejudgedEvents {
  readonly extremities: ReadonlyMap<EventId, EventPlace>;
  readonly refUpdates: readonly RefUpdate[];
  readonly mainChanges: readonly MainChange[];
  readonly resolvedFrom: readonly Point[] | undefined;
  /** The given states of this event are replaced. */
  readonly replaced: { readonly nid: number; readonly given: GivenPoints };
  /** The main line from now on, and the position of its newest row (R11). */
  readonly switchTo?: { readonly line: number; readonly tipPos: number } | undefined;
}

export async function writeRejudged(view: RoomView, plan: RejudgePlan, options: RejudgeOptions): Promise<Rejudged> {
  const { room } = view;
  const stateChanges = await describeChanges(view, plan.mainChanges);
  const history = await historyPlaces(view);
  const accepted = await describe(view, plan.accepted);
  await options.prepare?.({ stateChanges, accepted });
  let written: { places: EventPlace[]; outcome: Rejudged } | undefined;
  const rejected = await describe(view, plan.rejected);
  const { ticket, pin } = room.write((unit) => {
    const pos = unit.nextPos();
    const places = timelinePlaces(unit, view, plan, history, pos);
    const ordOf = new Map(places.map((place) => [place.nid, place.ord]));
    const outcome: Rejudged = {
      pos,
      accepted: accepted.map(({ nid, event }) => ({ nid, event, ord: ordOf.get(nid) ?? null })),
      rejected,
      stateChanges,
      ticket: undefined,
    };
    emit(unit, view, plan, places, pos);
    unit.wake({ kind: 'rejudged', room: room.room, pos });
    options.also?.(unit, outcome);
    written = { places, outcome };
  });
  if (written === undefined) throw new Error('the unit was not built');
  const { places, outcome } = written;
  apply(view, plan, stateChanges, places, outcome.pos, pin);
  return { ...outcome, ticket };
}

async function describe(view: RoomView, places: readonly EventPlace[]) {
  const events = await view.events(places.map((place) => place.nid));
  return places.map(({ nid }) => ({ nid, event: events.get(nid)! }));
}

const isVisible = (place: EventPlace): boolean => !isRejected(place) && (place.flags & EventFlag.softFailed) === 0;

/** Where fetched history that becomes visible goes; by number. */
async function historyPlaces(view: RoomView): Promise<Map<number, { ord: number; notifySeq: number }>> {
  const found = new Map<number, { ord: number; notifySeq: number }>();
  const taken = new Set<number>();
  for (const place of view.changedPlaces) {
    if ((place.flags & EventFlag.backfilled) === 0 || !isVisible(place) || place.ord !== null) continue;
    const at = await backfillPlace(view, place.eventId, taken);
    if (at === undefined) continue;
    found.set(place.nid, at);
    taken.add(at.ord);
  }
  return found;
}

/**
 * The places that change, with their order in the timeline: events that clients never saw come at the end, as new ones do;
 * the first at the unit's own position, each further one at a position of its own.
 */
function timelinePlaces(
  unit: UnitBuilder,
  view: RoomView,
  plan: RejudgePlan,
  history: ReadonlyMap<number, { ord: number; notifySeq: number }>,
  pos: number,
): EventPlace[] {
  let ordPos: number | undefined;
  const { notifySeq } = view.room;
  const settled = new Map<EventId, EventPlace>();
  const inOrder = [...plan.accepted.map((place) => view.placeOf(place)), ...view.changedPlaces];
  for (const changed of inOrder) {
    if (settled.has(changed.eventId)) continue;
    let place = settledPlace(changed, pos);
    if (!isVisible(place)) place = { ...place, ord: null };
    else if (place.ord === null) {
      const at = history.get(place.nid);
      if (at === undefined) ordPos = ordPos === undefined ? pos : unit.nextPos();
      place = { ...place, ...(at ?? { ord: ordPos! * 1024, notifySeq }) };
    }
    settled.set(place.eventId, place);
  }
  return [...settled.values()];
}

function emit(unit: UnitBuilder, view: RoomView, plan: RejudgePlan, places: readonly EventPlace[], pos: number): void {
  const { room } = view.room;
  for (const place of places) emitPlace(unit, place);
  view.lines.emit(unit, room, pos);
  unit.run(deleteGivenStatesOf, { nid: plan.replaced.nid });
  emitGivenStates(unit, plan.replaced.nid, pos, plan.replaced.given);
  emitRefUpdates(unit, plan.refUpdates);
  emitExtremities(unit, room, view.room.extremities, plan.extremities);
  if (view.partialNid !== view.room.partialNid) unit.run(setRoomPartial, { room, partialNid: view.partialNid });
  if (plan.switchTo !== undefined) unit.run(setRoomMainLine, { room, mainLine: plan.switchTo.line });
}

function apply(
  view: RoomView,
  plan: RejudgePlan,
  stateChanges: readonly StateChange[],
  places: readonly EventPlace[],
  pos: number,
  pin: { settled: boolean },
): void {
  const { room } = view;
  const byId = new Map(places.map((place) => [place.eventId, place]));
  for (const place of places) room.places.wrote(place, pin);
  room.extremities = new Map([...plan.extremities].map(([eventId, place]) => [eventId, byId.get(eventId) ?? place]));
  room.partialNid = view.partialNid;
  if (plan.switchTo === undefined) {
    applyMainChanges(view, stateChanges, pos, pin);
  } else {
    const { line, tipPos } = plan.switchTo;
    room.services.lines.forget(line);
    room.mains = [...room.mains, { fromPos: pos, line }];
    applyMainChanges(view, stateChanges, pos, pin);
    room.mainTipPos = tipPos === NOW ? pos : tipPos;
  }
  room.resolvedFrom = plan.resolvedFrom && memoKey(plan.resolvedFrom.map((point) => settledPoint(point, pos)));
  if (room.create !== undefined)
    room.create = { ...room.create, place: byId.get(room.create.event.eventId) ?? room.create.place };
}
