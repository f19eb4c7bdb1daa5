/**
 * An event that is not the usual case: off the tip, refused, soft-failed, with states that were handed in, or known as an
 * outlier before (R5 to R8). The room's earlier units are committed before it starts.
 */
import type { AuthResult, RoomEvent, StateLookup } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { backfillPlace, placeFrom } from './backfill-order.ts';
import { MissingEvents, type Placed, type ReceiveOptions } from './contract.ts';
import { prefetched } from './current-state.ts';
import { type EventPlace, isCounted, isRejected } from './event-places.ts';
import { updateExtremities, withoutOthers } from './extremities.ts';
import { type GivenPoints, loadGivenStates, storeGivenStates, virtualStateOf } from './given-states.ts';
import type { HotRoom } from './hot-room.ts';
import { judgeByAuthEvents, judgeByPartialState, judgeByState, tuplesForEvent } from './judge.ts';
import { virtualEventsAt } from './line-draft.ts';
import { TooManyChanges, differingKeys } from './lines.ts';
import { appendToMain, resolveMain } from './main-line.ts';
import { isOnTip } from './place-on-tip.ts';
import { alreadyPlaced, refusal } from './placed.ts';
import { type References, buildsOnPartial, loadReferences } from './references.ts';
import { resolvePoints } from './resolve-points.ts';
import { RoomView } from './room-view.ts';
import { BEFORE_ALL, NOW, type Point, type VirtualState } from './state-point.ts';
import { storableInteger } from './storable-integer.ts';
import { type Placement, writePlacement } from './write-placement.ts';

export async function placeAnywhere(
  room: HotRoom,
  event: RoomEvent,
  body: string,
  options: ReceiveOptions,
): Promise<Placed> {
  await room.settled();
  try {
    return await judgeAndPlace(room, event, body, options, false).catch((error: unknown) => {
      if (!(error instanceof TooManyChanges) || options.local === true) throw error;
      return judgeAndPlace(room, event, body, options, true);
    });
  } catch (error) {
    // what was resolved may have counted on a verdict that is not stored now
    room.memo.clear();
    room.resolvedFrom = undefined;
    throw error;
  }
}

async function judgeAndPlace(
  room: HotRoom,
  event: RoomEvent,
  body: string,
  options: ReceiveOptions,
  isTooLate: boolean,
): Promise<Placed> {
  const known = (await room.places.find([event.eventId])).get(event.eventId);
  if (known !== undefined && known.pos !== null) return alreadyPlaced(room, known);
  // at home, being unable to write would be worse than being slow
  const rowsMax = options.local === true ? Number.MAX_SAFE_INTEGER : room.services.limits.mergeRowsMax;
  const view = new RoomView(room, rowsMax);
  const isGiven = (parentId: EventId) => options.given?.has(parentId) === true;
  const references = await loadReferences(view, event, isGiven);
  const { state, given } = await stateBefore(view, event, references, options).catch((error: unknown) => {
    throw error instanceof TooManyChanges ? new MissingEvents([], event.prevEvents) : error;
  });
  const partial = options.partial === true || buildsOnPartial(event, references.parents, isGiven);
  const judged = await judgeNewcomer(view, event, references, state, options, partial);
  const late = isTooLate || (await comesTooLate(view, event, state, judged, options));
  const verdict = late && judged.result.ok ? { ...judged, softFailed: true } : judged;
  if (options.local === true && !(verdict.result.ok && verdict.byCurrentState.ok))
    return refusal(room, verdict.result.ok ? verdict.byCurrentState : verdict.result);
  const newcomer = await identify(view, event, body, known, references);
  const placement = await place(view, { ...newcomer, given, state, verdict, partial, isTooLate, options });
  return writePlacement(view, placement, options);
}

interface Verdict {
  /** By its auth events and by the state before it. */
  readonly result: AuthResult;
  readonly byCurrentState: AuthResult;
  readonly softFailed: boolean;
}
type Identity = Pick<Placement, 'event' | 'body' | 'nid' | 'skey' | 'sender' | 'known' | 'node'>;
interface Newcomer extends Identity {
  readonly given: GivenPoints;
  readonly state: VirtualState;
  readonly verdict: Verdict;
  readonly partial: boolean;
  /** The current state cannot be resolved over it at a bearable cost. */
  readonly isTooLate: boolean;
  readonly options: ReceiveOptions;
}

/** R4 and R5. */
async function stateBefore(
  view: RoomView,
  event: RoomEvent,
  { parents }: References,
  options: ReceiveOptions,
): Promise<{ readonly state: VirtualState; readonly given: GivenPoints }> {
  const { prevEvents } = event;
  const given: GivenPoints = new Map();
  if (options.given === undefined && isOnTip(view.room, event))
    return { state: { base: view.room.tipPoint, difference: new Map() }, given };
  if (prevEvents.length === 0) {
    // a create event that came late has an empty state before it
    const line = await view.lines.open(null);
    return { state: { base: { line, pos: BEFORE_ALL }, difference: new Map() }, given };
  }
  const asked = new Map([...(options.given ?? [])].filter(([parentId]) => prevEvents.includes(parentId)));
  const states = await loadGivenStates(view, asked);
  const base = await givenBase(view, options.near);
  const [folded, ...others] = new Set(states.values());
  if (folded !== undefined && others.length === 0 && prevEvents.every((parentId) => states.has(parentId)))
    return { state: await virtualStateOf(view, folded, base), given: new Map(prevEvents.map((id) => [id, null])) };
  const stored = await storeGivenStates(view, states, base);
  const points = prevEvents.map((parentId) => stored.get(parentId) ?? view.pointAfter(parents.get(parentId)!));
  return { state: await resolvePoints(view, points), given: stored };
}

async function givenBase(view: RoomView, near: EventId | undefined): Promise<Point> {
  const place = near === undefined ? undefined : (await view.places([near])).get(near);
  return place === undefined || place.pos === null ? view.room.tipPoint : view.pointAfter(place);
}

async function judgeNewcomer(
  view: RoomView,
  event: RoomEvent,
  { cited }: References,
  before: VirtualState,
  options: ReceiveOptions,
  partial: boolean,
): Promise<Verdict> {
  const { room } = view;
  let result = judgeByAuthEvents(room, event, cited);
  if (result.ok) {
    const state = await lookupIn(view, event, before);
    result = partial ? judgeByPartialState(room, event, cited, state) : judgeByState(room, event, state);
  }
  const exempt =
    options.backfill === true || options.entering === true || options.partial === true || room.partialNid !== null;
  if (!result.ok || exempt || room.mainTipPos === BEFORE_ALL)
    return { result, byCurrentState: { ok: true }, softFailed: false };
  const byCurrentState = judgeByState(room, event, await room.current.prefetch(tuplesForEvent(room, event)));
  return { result, byCurrentState, softFailed: options.policyDenies === true || !byCurrentState.ok };
}

/**
 * An event that is not on the tip makes the server resolve the current state over everything that changed since the event's
 * parents. Whoever sends messages with old parents must not be able to keep the server busy with that.
 */
async function comesTooLate(
  view: RoomView,
  event: RoomEvent,
  state: VirtualState,
  verdict: Verdict,
  options: ReceiveOptions,
): Promise<boolean> {
  if (!verdict.result.ok || verdict.softFailed || options.local === true || options.backfill === true) return false;
  if (options.entering === true) return false;
  const { room } = view;
  if ([...room.extremities.keys()].every((eventId) => event.prevEvents.includes(eventId))) return false;
  const rowsMax = room.services.limits.lateRowsMax - state.difference.size;
  return !(await view.lines.isWithin(rowsMax, () => differingKeys(view.lines, state.base, room.tipPoint)));
}

/** What the rules read for the event, in a state. */
export async function lookupIn(view: RoomView, event: RoomEvent, state: VirtualState): Promise<StateLookup> {
  const tuples = tuplesForEvent(view.room, event);
  const skeys = await view.room.services.names.findSkeys(tuples.map(([type, key]) => ({ type, key })));
  const known = skeys.filter((skey) => skey !== undefined);
  const nids = await virtualEventsAt(view.lines, state, known);
  const events = await view.events(nids.values());
  const found = skeys.map((skey) => {
    const nid = skey === undefined ? undefined : nids.get(skey);
    return nid === undefined ? undefined : events.get(nid);
  });
  return prefetched(tuples, found);
}

/** Its numbers, and its node in the auth graph if it is a state event that was not stored before. */
async function identify(
  view: RoomView,
  event: RoomEvent,
  body: string,
  known: EventPlace | undefined,
  { authNids }: References,
): Promise<Identity> {
  const { names, db } = view.room.services;
  const sender = await names.userNid(event.sender);
  const skey = event.stateKey === undefined ? null : await names.skey(event.type, event.stateKey);
  const nid = known?.nid ?? db.nextId();
  const node = skey === null || known !== undefined ? undefined : await view.room.graph.plan(nid, skey, authNids);
  view.addEvent(nid, event);
  if (node !== undefined) view.addNode(node);
  return { event, body, nid, skey, sender, known, node };
}

/** R6 to R8, R14. */
async function place(view: RoomView, newcomer: Newcomer): Promise<Placement> {
  const { room } = view;
  const { event, nid, skey, known, state, verdict } = newcomer;
  const flipped = known !== undefined && isRejected(known) === verdict.result.ok;
  if (flipped) {
    room.memo.clear();
    room.resolvedFrom = undefined;
  }
  const placed = await firstPlace(view, newcomer);
  view.setPlace(placed);
  const update = await updateExtremities(view, event, placed);
  const isEntering = newcomer.options.entering === true && verdict.result.ok;
  const { extremities, missingRefs, refUpdates } = isEntering ? withoutOthers(update, placed) : update;
  if (missingRefs.length > 0) markAfterGap(view, placed);
  const own = verdict.result.ok && skey !== null ? { skey, nid } : undefined;
  const main = { line: room.mainLine, tip: room.tipPoint };
  const common = {
    ...newcomer,
    verdict: verdict.result,
    softFailed: verdict.softFailed,
    extremities,
    missingRefs,
    refUpdates,
    partial: newcomer.options.partial === true,
  };
  const counted = isCounted(placed);
  if (counted && extremities.size === 1 && extremities.has(event.eventId)) {
    const mainChanges = await appendToMain(view, state, own, main);
    return { ...common, mainChanges, resolvedFrom: undefined };
  }
  const point = await view.lines.store(state, own, NOW);
  view.setPlace({ ...view.placeOf(placed), point });
  const isUnmoved = !counted && !flipped && sameKeys(extremities, room.extremities);
  if (isUnmoved || newcomer.isTooLate) return { ...common, mainChanges: [], resolvedFrom: undefined };
  const places = [...extremities.values()].map((at) => view.placeOf(at));
  const { changes, resolvedFrom } = await resolveMain(view, places, main, room.resolvedFrom);
  return { ...common, extremities, mainChanges: changes, resolvedFrom };
}

function markAfterGap(view: RoomView, place: EventPlace): void {
  const marked = view.placeOf(place);
  view.setPlace({ ...marked, flags: marked.flags | EventFlag.afterGap });
}

async function firstPlace(view: RoomView, newcomer: Newcomer): Promise<EventPlace> {
  const { event, nid, skey, verdict, options } = newcomer;
  const visible = verdict.result.ok && !verdict.softFailed;
  let flags = options.marks ?? 0;
  if (!verdict.result.ok) flags |= EventFlag.rejected;
  if (verdict.softFailed) flags |= EventFlag.softFailed;
  if (options.backfill === true) flags |= EventFlag.backfilled;
  if (options.policyDenies === true) flags |= EventFlag.policyDenied;
  if (newcomer.partial) flags |= EventFlag.partialState;
  const live = view.room.notifySeq + (visible && options.notifies === true ? 1 : 0);
  const at = {
    nid,
    eventId: event.eventId,
    pos: NOW,
    skey,
    depth: storableInteger(event.depth),
    point: null,
    flags,
  };
  if (!visible) return { ...at, ord: null, notifySeq: view.room.notifySeq };
  const history = options.backfill === true ? await historyPlace(view, event.eventId, options.ord) : undefined;
  return { ...at, ord: history?.ord ?? NOW, notifySeq: history?.notifySeq ?? live };
}

const historyPlace = (view: RoomView, eventId: EventId, ord: number | undefined) =>
  ord === undefined ? backfillPlace(view, eventId) : placeFrom(view, ord);

function sameKeys(a: ReadonlyMap<EventId, EventPlace>, b: ReadonlyMap<EventId, EventPlace>): boolean {
  return a.size === b.size && [...a.keys()].every((eventId) => b.has(eventId));
}
