/** The unit that gives one event its place, and what changes in memory with it. */
import type { AuthResult, RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { UnitBuilder } from '../../storage/database.ts';
import { encodeEventBody } from '../../storage/event-body.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { insertEvent, insertEventBody, placeEvent, setRoomPartial } from '../../storage/stores/room-graph-store.ts';
import type { AuthNode } from './auth-graph.ts';
import type { Placed, ReceiveOptions, StateChange } from './contract.ts';
import type { EventPlace } from './event-places.ts';
import { type MissingRef, type RefUpdate, emitExtremities, emitMissingRefs, emitRefUpdates } from './extremities.ts';
import { type GivenPoints, emitGivenStates } from './given-states.ts';
import type { MainChange } from './main-line.ts';
import { memoKey } from './resolution-memo.ts';
import type { RoomView } from './room-view.ts';
import { NOW, type Point } from './state-point.ts';
import { storableInteger } from './storable-integer.ts';

/** What was decided. Positions may be NOW; the places that change are in the view, the event's own among them. */
export interface Placement {
  readonly event: RoomEvent;
  readonly body: string;
  readonly nid: number;
  readonly skey: number | null;
  readonly sender: number;
  /** It was stored as an outlier before. */
  readonly known: EventPlace | undefined;
  /** A new node of the auth graph. */
  readonly node: AuthNode | undefined;
  readonly verdict: AuthResult;
  readonly softFailed: boolean;
  readonly given: GivenPoints;
  readonly missingRefs: readonly MissingRef[];
  readonly refUpdates: readonly RefUpdate[];
  readonly extremities: ReadonlyMap<EventId, EventPlace>;
  readonly mainChanges: readonly MainChange[];
  readonly resolvedFrom: readonly Point[] | undefined;
  readonly partial: boolean;
}

export async function writePlacement(view: RoomView, plan: Placement, options: ReceiveOptions): Promise<Placed> {
  const { room } = view;
  const stateChanges = await describeChanges(view, plan.mainChanges);
  await options.prepare?.({ stateChanges });
  let placed: Placed | undefined;
  const { ticket, pin } = room.write((unit) => {
    const pos = unit.nextPos();
    placed = emitPlacement(unit, view, plan, pos, stateChanges);
    options.also?.(unit, placed);
  });
  if (placed === undefined) throw new Error('the unit was not built');
  const { pos } = placed;
  const places = new Map([...view.changedPlaces].map((place) => [place.eventId, settledPlace(place, pos)]));
  for (const place of places.values()) room.places.wrote(place, pin);
  room.extremities = new Map([...plan.extremities].map(([eventId, place]) => [eventId, places.get(eventId) ?? place]));
  room.notifySeq = Math.max(room.notifySeq, placed.notifySeq);
  if (plan.partial) room.partialNid = plan.nid;
  if (plan.node !== undefined) room.graph.added(plan.node, pin);
  applyMainChanges(view, stateChanges, pos, pin);
  room.resolvedFrom = plan.resolvedFrom && memoKey(plan.resolvedFrom.map((point) => settledPoint(point, pos)));
  rememberCreate(view, plan, places);
  return { ...placed, ticket };
}

/** How the current state changed, with the events themselves. */
export async function describeChanges(view: RoomView, changes: readonly MainChange[]): Promise<StateChange[]> {
  const keys = await view.room.services.names.stateKeysOf(changes.map((change) => change.skey));
  const events = await view.events(changes.map((change) => change.event).filter((nid) => nid !== null));
  return changes.map(({ event: nid, previous }, index) => {
    const { type, key } = keys[index]!;
    const event = nid === null ? null : { nid, event: events.get(nid)! };
    return { type, stateKey: key, event, previousNid: previous };
  });
}

/** In memory, once the unit was handed in. */
export function applyMainChanges(
  view: RoomView,
  changes: readonly StateChange[],
  pos: number,
  pin: { settled: boolean },
): void {
  const { room } = view;
  if (view.lines.isDrafted(room.mainLine)) room.mainTipPos = pos;
  for (const change of changes) room.current.set(change.type, change.stateKey, change.event, pin);
}

export const settledPoint = (point: Point, pos: number): Point =>
  point.pos === NOW ? { line: point.line, pos } : point;

export function settledPlace(place: EventPlace, pos: number): EventPlace {
  return {
    ...place,
    pos: place.pos === NOW ? pos : place.pos,
    ord: place.ord === NOW ? pos * 1024 : place.ord,
    point: place.point && settledPoint(place.point, pos),
  };
}

/** The bits that this part of the server sets; the others of a stored event stay. */
const ownFlags =
  EventFlag.outlier |
  EventFlag.rejected |
  EventFlag.softFailed |
  EventFlag.backfilled |
  EventFlag.partialState |
  EventFlag.builtOn |
  EventFlag.afterGap |
  EventFlag.policyDenied;

export function emitPlace(unit: UnitBuilder, place: EventPlace): void {
  if (place.pos === null) throw new Error(`${place.eventId} gets no place`);
  unit.run(
    placeEvent,
    {
      nid: place.nid,
      ord: place.ord,
      pos: place.pos,
      sline: place.point?.line ?? null,
      spos: place.point?.pos ?? null,
      keepFlags: ~ownFlags,
      flags: place.flags & ownFlags,
      notifySeq: place.notifySeq,
    },
    { changes: 1 },
  );
}

function emitPlacement(
  unit: UnitBuilder,
  view: RoomView,
  plan: Placement,
  pos: number,
  stateChanges: readonly StateChange[],
): Placed {
  const { room } = view.room;
  let own: EventPlace | undefined;
  for (const changed of view.changedPlaces) {
    const place = settledPlace(changed, pos);
    if (place.nid === plan.nid) own = place;
    if (place.nid === plan.nid && plan.known === undefined) emitNewEvent(unit, room, plan, place);
    else emitPlace(unit, place);
  }
  if (own === undefined) throw new Error('the event itself has no place');
  if (plan.node !== undefined) view.room.graph.emit(unit, plan.node);
  view.lines.emit(unit, room, pos);
  emitGivenStates(unit, plan.nid, pos, plan.given);
  emitMissingRefs(unit, room, plan.missingRefs);
  emitRefUpdates(unit, plan.refUpdates);
  emitExtremities(unit, room, view.room.extremities, plan.extremities);
  if (plan.partial) unit.run(setRoomPartial, { room, partialNid: plan.nid });
  const { nid, ord, notifySeq } = own;
  const { verdict, softFailed } = plan;
  const isAfterGap = (own.flags & EventFlag.afterGap) !== 0;
  return { room, nid, pos, ord, notifySeq, verdict, softFailed, stateChanges, isAfterGap, ticket: undefined };
}

function emitNewEvent(unit: UnitBuilder, room: number, plan: Placement, place: EventPlace): void {
  const { event, nid } = plan;
  unit.run(insertEvent, {
    nid,
    eventId: event.eventId,
    room,
    ord: place.ord,
    pos: place.pos,
    type: event.type,
    sender: plan.sender,
    skey: plan.skey,
    ts: storableInteger(event.originServerTs),
    depth: place.depth,
    sline: place.point?.line ?? null,
    spos: place.point?.pos ?? null,
    flags: place.flags,
    notifySeq: place.notifySeq,
  });
  unit.run(insertEventBody, { nid, body: encodeEventBody(plan.body) });
}

/** Where the room id names the create event, that event answers for every state. */
function rememberCreate(view: RoomView, plan: Placement, places: ReadonlyMap<EventId, EventPlace>): void {
  const { room } = view;
  const place = places.get(room.create?.event.eventId ?? plan.event.eventId);
  if (place === undefined) return;
  if (room.create !== undefined) room.create = { place, event: room.create.event };
  else if (room.isNamedAfter(plan.event)) room.create = { place, event: plan.event };
}
