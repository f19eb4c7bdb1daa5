/**
 * The usual event: its parents are exactly the forward extremities, and it is allowed (R4). Nothing is read from the
 * database when the room is warm, a message writes no state and a state event one row.
 */
import type { CitedEvent } from '../../matrix/event-auth/state-independent.ts';
import type { AuthResult, RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { UnitBuilder, UnitTicket } from '../../storage/database.ts';
import { encodeEventBody } from '../../storage/event-body.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import {
  deleteExtremity,
  insertEvent,
  insertEventBody,
  insertExtremity,
  missingRefsTo,
  replaceExtremity,
} from '../../storage/stores/room-graph-store.ts';
import { insertChange } from '../../storage/stores/state-line-store.ts';
import type { AuthNode } from './auth-graph.ts';
import { MissingEvents, type Placed, type ReceiveOptions, type StateChange } from './contract.ts';
import { type EventPlace, isRejected } from './event-places.ts';
import type { HotRoom } from './hot-room.ts';
import { judgeByAuthEvents, judgeByPartialState, judgeByState, judgeReferences, tuplesForEvent } from './judge.ts';
import { refusal } from './placed.ts';
import { BEFORE_ALL, NOW } from './state-point.ts';
import { storableInteger } from './storable-integer.ts';
import type { Pin } from './write-through-cache.ts';

/** Whether the event's parents are the forward extremities, as sets; for the first event: there is no state yet. */
export function isOnTip(room: HotRoom, event: RoomEvent): boolean {
  const { prevEvents } = event;
  const { extremities } = room;
  if (prevEvents.length === 1) return extremities.size === 1 && extremities.has(prevEvents[0]!);
  if (prevEvents.length === 0) return extremities.size === 0 && room.mainTipPos === BEFORE_ALL;
  const parents = new Set(prevEvents);
  return parents.size === extremities.size && prevEvents.every((eventId) => extremities.has(eventId));
}

/** Those of the events that are not known, and that nothing refers to which is. */
export async function findNew(room: HotRoom, eventIds: readonly EventId[]): Promise<Set<EventId>> {
  const known = await room.places.find(eventIds);
  const unknown = eventIds.filter((eventId) => !known.has(eventId));
  const fresh = new Set(unknown);
  if (unknown.length === 0) return fresh;
  for (const ref of await room.services.db.all(missingRefsTo, { eventIds: unknown }))
    fresh.delete(ref.event_id as EventId);
  return fresh;
}

/** undefined: it is not the usual case after all (refused, known before, referred to before); nothing was done. */
export async function placeOnTip(
  room: HotRoom,
  event: RoomEvent,
  body: string,
  options: ReceiveOptions,
): Promise<Placed | undefined> {
  if (options.local !== true && options.isNew !== true && (await findNew(room, [event.eventId])).size === 0)
    return undefined;
  const plan = await planOnTip(room, event, body, options);
  if (!('nid' in plan)) return options.local === true ? refusal(room, plan) : undefined;
  return write(room, plan, options);
}

/** What is to be written of an event, or why it is refused. */
export async function planOnTip(
  room: HotRoom,
  event: RoomEvent,
  body: string,
  options: ReceiveOptions,
): Promise<TipPlan | Refused> {
  const auth = await authPlaces(room, event);
  const partial = room.partialNid !== null && parentsArePartial(room, event);
  const verdict =
    options.local === true ? await judgeLocal(room, event, auth) : await judgeRemote(room, event, auth, partial);
  if (!verdict.ok) return verdict;
  const { services } = room;
  const sender = await services.names.userNid(event.sender);
  const state = event.stateKey === undefined ? undefined : await planState(room, event, event.stateKey, auth);
  await options.prepare?.({ stateChanges: state?.changes ?? [] });
  return {
    event,
    body,
    nid: state?.nid ?? services.db.nextId(),
    sender,
    flags: (partial ? EventFlag.partialState : 0) | (options.marks ?? 0),
    notifySeq: room.notifySeq + (options.notifies === true ? 1 : 0),
    verdict,
    state,
  };
}

type Accepted = Extract<AuthResult, { readonly ok: true }>;
type Refused = Exclude<AuthResult, Accepted>;

export interface TipPlan {
  readonly event: RoomEvent;
  readonly body: string;
  readonly nid: number;
  readonly sender: number;
  readonly flags: number;
  readonly notifySeq: number;
  readonly verdict: Accepted;
  readonly state: StatePlan | undefined;
}
interface StatePlan {
  readonly nid: number;
  readonly skey: number;
  /** The unit that brings the state key, where it is under way. */
  readonly skeyCreation: UnitTicket | undefined;
  readonly node: AuthNode;
  readonly prev: number | null;
  readonly changes: readonly StateChange[];
}

async function authPlaces(room: HotRoom, event: RoomEvent): Promise<EventPlace[]> {
  const ids = [...new Set(event.authEvents)];
  const cached = ids.map((eventId) => room.places.peek(eventId));
  if (cached.every((place) => place !== undefined)) return cached;
  const places = await room.places.find(ids);
  const missing = ids.filter((eventId) => !places.has(eventId));
  if (missing.length > 0) throw new MissingEvents(missing, []);
  return [...places.values()];
}

function parentsArePartial(room: HotRoom, event: RoomEvent): boolean {
  return event.prevEvents.some((eventId) => (room.extremities.get(eventId)!.flags & EventFlag.partialState) !== 0);
}

/** Its auth events come from the current state, so judging by that state is judging by them too. */
async function judgeLocal(room: HotRoom, event: RoomEvent, auth: readonly EventPlace[]): Promise<AuthResult> {
  const tuples = tuplesForEvent(room, event);
  const state = await room.current.prefetch(tuples);
  const current = tuples.map(([type, stateKey]) => state(type, stateKey));
  const cited: CitedEvent[] = [];
  for (const place of auth) {
    const found = current.find((candidate) => candidate?.eventId === place.eventId);
    cited.push({ event: found ?? (await room.loadEvent(place.nid)), rejected: isRejected(place) });
  }
  const references = judgeReferences(room, event, cited);
  return references.ok ? judgeByState(room, event, state) : references;
}

async function judgeRemote(
  room: HotRoom,
  event: RoomEvent,
  auth: readonly EventPlace[],
  partial: boolean,
): Promise<AuthResult> {
  const cited: CitedEvent[] = [];
  for (const place of auth) cited.push({ event: await room.loadEvent(place.nid), rejected: isRejected(place) });
  const byAuthEvents = judgeByAuthEvents(room, event, cited);
  if (!byAuthEvents.ok) return byAuthEvents;
  // On the tip the state before is the current state.
  const state = await room.current.prefetch(tuplesForEvent(room, event));
  return partial ? judgeByPartialState(room, event, cited, state) : judgeByState(room, event, state);
}

async function planState(
  room: HotRoom,
  event: RoomEvent,
  stateKey: string,
  auth: readonly EventPlace[],
): Promise<StatePlan> {
  const { services } = room;
  const nid = services.db.nextId();
  const { nid: skey, creation: skeyCreation } = await services.names.introduceSkey(event.type, stateKey);
  const node = await room.graph.plan(
    nid,
    skey,
    auth.map((place) => place.nid),
  );
  const prev = (await room.current.find(event.type, stateKey)).value?.nid ?? null;
  const changes: StateChange[] = [{ type: event.type, stateKey, event: { nid, event }, previousNid: prev }];
  return { nid, skey, skeyCreation, node, prev, changes };
}

function write(room: HotRoom, plan: TipPlan, options: ReceiveOptions): Placed {
  let placed: Placed | undefined;
  const { ticket, pin } = room.write((unit) => {
    writeExtremity(unit, room, plan.nid);
    placed = emitPlan(unit, room, plan, options);
  });
  if (placed === undefined) throw new Error('the unit was not built');
  rememberPlace(room, plan, placed, pin);
  rememberState(room, plan, pin);
  return { ...placed, ticket };
}

/** All that the event's unit does but for the extremities. */
export function emitPlan(unit: UnitBuilder, room: HotRoom, plan: TipPlan, options: ReceiveOptions): Placed {
  const { nid, state } = plan;
  if (state?.skeyCreation !== undefined) unit.requires(state.skeyCreation);
  const pos = unit.nextPos();
  const placed = placedAt(room, plan, pos);
  writeEvent(unit, room, plan, placed);
  if (state !== undefined) {
    unit.run(insertChange, { line: room.mainLine, skey: state.skey, pos, event: nid, prev: state.prev });
    room.graph.emit(unit, state.node);
  }
  options.also?.(unit, placed);
  return placed;
}

export function placedAt(room: HotRoom, { nid, notifySeq, verdict, state }: TipPlan, pos: number): Placed {
  return {
    room: room.room,
    nid,
    pos,
    ord: pos === NOW ? NOW : pos * 1024,
    notifySeq,
    verdict,
    softFailed: false,
    stateChanges: state?.changes ?? [],
    ticket: undefined,
  };
}

/** In memory: the event is the room's tip now. */
export function rememberPlace(room: HotRoom, plan: TipPlan, { pos, ord }: Placed, pin: Pin): void {
  const { event, nid, flags, notifySeq, state } = plan;
  const { eventId, depth } = event;
  const place: EventPlace = { nid, eventId, ord, pos, skey: state?.skey ?? null, depth, point: null, flags, notifySeq };
  room.places.wrote(place, pin);
  room.extremities = new Map([[eventId, place]]);
  room.notifySeq = notifySeq;
  room.resolvedFrom = undefined;
  if (state === undefined) return;
  room.mainTipPos = pos;
  if (room.isNamedAfter(event)) room.create = { place, event };
}

/** In memory: the room's state is what the event makes of it. */
export function rememberState(room: HotRoom, { event, nid, body, state }: TipPlan, pin: Pin): void {
  if (state === undefined) return;
  room.graph.added(state.node, pin);
  room.current.set(event.type, event.stateKey!, { nid, event }, pin);
  room.services.events.put(nid, event, body.length);
}

function writeEvent(unit: UnitBuilder, room: HotRoom, plan: TipPlan, { pos, ord }: Pick<Placed, 'pos' | 'ord'>): void {
  const { event, nid, sender } = plan;
  unit.run(insertEvent, {
    nid,
    eventId: event.eventId,
    room: room.room,
    ord,
    pos,
    type: event.type,
    sender,
    skey: plan.state?.skey ?? null,
    ts: storableInteger(event.originServerTs),
    depth: storableInteger(event.depth),
    sline: null,
    spos: null,
    flags: plan.flags,
    notifySeq: plan.notifySeq,
  });
  unit.run(insertEventBody, { nid, body: encodeEventBody(plan.body) });
}

/** The event is the only extremity now. Usually that changes one row. */
function writeExtremity(unit: UnitBuilder, room: HotRoom, nid: number): void {
  const [replaced, ...merged] = room.extremities.values();
  if (replaced === undefined) unit.run(insertExtremity, { room: room.room, nid });
  else unit.run(replaceExtremity, { room: room.room, nid: replaced.nid, byNid: nid }, { changes: 1 });
  for (const { nid } of merged) unit.run(deleteExtremity, { room: room.room, nid }, { changes: 1 });
}
