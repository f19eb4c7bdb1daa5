/**
 * Judging again (R10): missing parents came, or a state that was handed in is replaced. Positions stay; where the verdict
 * or the state before changed, the event gets an explicit point.
 */
import type { AuthResult, RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { givenStatesOf } from '../../storage/stores/state-line-store.ts';
import { inCausalOrder } from './causal-order.ts';
import { MissingEvents, type RejudgeOptions, type Rejudged } from './contract.ts';
import { type EventPlace, isCounted, isRejected } from './event-places.ts';
import { type GivenLists, type GivenPoints, loadGivenStates, storeGivenStates } from './given-states.ts';
import type { HotRoom } from './hot-room.ts';
import { judgeByAuthEvents, judgeByPartialState, judgeByState, tuplesForEvent } from './judge.ts';
import { virtualEventsAt } from './line-draft.ts';
import { Lineage } from './lineage.ts';
import { differingKeys, eventsAt } from './lines.ts';
import { lookupIn } from './place-anywhere.ts';
import { resolveMain } from './main-line.ts';
import { buildsOnPartial, loadCited } from './references.ts';
import { refoldExtremities } from './refold-extremities.ts';
import { resolvePoints } from './resolve-points.ts';
import { RoomView } from './room-view.ts';
import { BEFORE_ALL, type Point, type VirtualState } from './state-point.ts';
import { type RejudgedEvents, writeRejudged } from './write-rejudged.ts';

/** An event that more came after stays as it is. */
const LATER_EVENTS_MAX = 50_000;

/**
 * Throws MissingEvents when a parent has neither a place nor a given state, Error when the event itself has no place,
 * TooManyChanges when too much came after it.
 */
export async function rejudgeEvent(
  room: HotRoom,
  eventId: EventId,
  given: GivenLists | undefined,
  options: RejudgeOptions,
): Promise<Rejudged> {
  await room.settled();
  try {
    const view = new RoomView(room, Number.MAX_SAFE_INTEGER);
    const start = (await view.places([eventId])).get(eventId);
    if (start === undefined || start.pos === null) throw new Error(`${eventId} has no place in the room`);
    const points = await storeGivenStates(view, await loadGivenStates(view, given ?? new Map()), view.room.tipPoint);
    const rejudging = new Rejudging(view, LATER_EVENTS_MAX);
    await rejudging.mustHaveParents(start, points);
    await rejudging.run(start, points);
    const { extremities, refUpdates } = await refoldExtremities(view, rejudging.lineage, rejudging.countedChanged);
    const main = { line: room.mainLine, tip: room.tipPoint };
    const places = [...extremities.values()].map((place) => view.placeOf(place));
    const { changes, resolvedFrom } = await resolveMain(view, places, main, undefined);
    const replaced = { nid: start.nid, given: points };
    const plan = { ...rejudging.outcome, extremities, refUpdates, mainChanges: changes, resolvedFrom, replaced };
    return await writeRejudged(view, plan, options);
  } catch (error) {
    room.memo.clear();
    room.resolvedFrom = undefined;
    throw error;
  }
}

export class Rejudging {
  readonly lineage: Lineage;
  readonly #view: RoomView;
  readonly #given = new Map<number, GivenPoints>();
  /** Events whose verdict, state or partiality changed: their children have to be judged again. */
  readonly #changed = new Set<EventId>();
  readonly #flipped = new Set<EventId>();
  readonly #accepted: EventPlace[] = [];
  readonly #rejected: EventPlace[] = [];
  /** As they were, where it changed whether they count. */
  readonly countedChanged: EventPlace[] = [];

  constructor(view: RoomView, eventsMax: number) {
    this.#view = view;
    this.lineage = new Lineage(view, eventsMax);
  }

  get outcome(): RejudgedEvents {
    return { accepted: this.#accepted, rejected: this.#rejected };
  }

  async mustHaveParents(start: EventPlace, given: GivenPoints): Promise<void> {
    const event = (await this.#view.events([start.nid])).get(start.nid)!;
    const places = await this.#view.places(event.prevEvents);
    const missing = event.prevEvents.filter((id) => !given.has(id) && (places.get(id)?.pos ?? null) === null);
    if (missing.length > 0) throw new MissingEvents([], missing);
  }

  /** The event, and those of its descendants that anything changed for. */
  async run(start: EventPlace, given: GivenPoints): Promise<void> {
    this.#given.set(start.nid, given);
    const descendants = await this.#descendantsOf(start);
    const events = await this.#view.events(descendants.map((place) => place.nid));
    const ordered = inCausalOrder(
      descendants.map((place) => ({ place, event: events.get(place.nid)! })),
      (place, parentId) => this.#given.get(place.nid)?.has(parentId) !== true,
    );
    for (const { place, event } of ordered)
      if (place.nid === start.nid || this.#isAffected(place, event)) await this.#judgeAgain(place, event);
  }

  async #descendantsOf(start: EventPlace): Promise<EventPlace[]> {
    const found = new Map([[start.eventId, start]]);
    const toVisit = [start];
    for (let at = toVisit.pop(); at !== undefined; at = toVisit.pop()) {
      const children = (await this.lineage.childrenOf(at)).filter((child) => !found.has(child.eventId));
      await this.#loadGiven(children);
      for (const child of children) {
        if (this.#given.get(child.nid)?.has(at.eventId) === true) continue;
        found.set(child.eventId, child);
        toVisit.push(child);
      }
    }
    return [...found.values()];
  }

  async #loadGiven(places: readonly EventPlace[]): Promise<void> {
    const nids = places.map((place) => place.nid).filter((nid) => !this.#given.has(nid));
    if (nids.length === 0) return;
    for (const nid of nids) this.#given.set(nid, new Map());
    for (const row of await this.#view.room.services.db.all(givenStatesOf, { nids })) {
      const points = new Map(this.#given.get(row.nid));
      points.set(row.parent_id as EventId, { line: row.line, pos: row.pos });
      this.#given.set(row.nid, points);
    }
  }

  #isAffected(place: EventPlace, event: RoomEvent): boolean {
    const given = this.#given.get(place.nid);
    return (
      event.prevEvents.some((parentId) => given?.has(parentId) !== true && this.#changed.has(parentId)) ||
      event.authEvents.some((eventId) => this.#flipped.has(eventId))
    );
  }

  async #judgeAgain(before: EventPlace, event: RoomEvent): Promise<void> {
    const view = this.#view;
    const given = this.#given.get(before.nid)!;
    const parents = new Map([...(await view.places(event.prevEvents))].filter(([, place]) => place.pos !== null));
    const authPlaces = await view.places(event.authEvents);
    const isUnknown = (id: EventId) => !given.has(id) && !parents.has(id);
    // what a purge took away cannot be asked any more: the event stays as it is
    if (event.prevEvents.some(isUnknown) || event.authEvents.some((id) => !authPlaces.has(id))) return;
    const state = await this.#stateBefore(event, given, parents);
    const partial = view.partialNid === before.nid || buildsOnPartial(event, parents, (id) => given.has(id));
    const { cited } = await loadCited(view, event, authPlaces);
    let result = judgeByAuthEvents(view.room, event, cited);
    if (result.ok) {
      const known = await lookupIn(view, event, state);
      result = partial ? judgeByPartialState(view.room, event, cited, known) : judgeByState(view.room, event, known);
    }
    await this.#setPlace(before, event, state, result, partial);
  }

  async #stateBefore(
    event: RoomEvent,
    given: GivenPoints,
    parents: ReadonlyMap<EventId, EventPlace>,
  ): Promise<VirtualState> {
    if (event.prevEvents.length === 0)
      return { base: { line: await this.#view.lines.open(null), pos: BEFORE_ALL }, difference: new Map() };
    const points: Point[] = [];
    for (const parentId of event.prevEvents)
      points.push(given.get(parentId) ?? this.#view.pointAfter(parents.get(parentId)!));
    return resolvePoints(this.#view, points);
  }

  async #setPlace(
    before: EventPlace,
    event: RoomEvent,
    state: VirtualState,
    result: AuthResult,
    partial: boolean,
  ): Promise<void> {
    const view = this.#view;
    const hasFlipped = isRejected(before) === result.ok;
    const flags = await this.#flagsOf(before, event, result, partial);
    const stateChanged = hasFlipped || !(await this.#hasStateBefore(before, state));
    const partialChanged = ((flags ^ before.flags) & EventFlag.partialState) !== 0;
    if (hasFlipped) {
      view.room.memo.clear();
      this.#flipped.add(before.eventId);
    }
    if (stateChanged || partialChanged) this.#changed.add(before.eventId);
    if (!stateChanged && flags === before.flags) return;
    const own = result.ok && before.skey !== null ? { skey: before.skey, nid: before.nid } : undefined;
    const point = stateChanged ? await view.lines.store(state, own, before.pos!) : before.point;
    const place: EventPlace = { ...before, flags, point };
    view.setPlace(place);
    if (isCounted(place) !== isCounted(before)) this.countedChanged.push(before);
    if (hasFlipped) (result.ok ? this.#accepted : this.#rejected).push(place);
  }

  async #flagsOf(before: EventPlace, event: RoomEvent, result: AuthResult, partial: boolean): Promise<number> {
    const { room } = this.#view;
    let flags = before.flags & ~(EventFlag.rejected | EventFlag.partialState);
    if (partial) flags |= EventFlag.partialState;
    if (!result.ok) return (flags & ~EventFlag.softFailed) | EventFlag.rejected;
    // whether it is soft-failed was decided when it came in, unless it was rejected then
    if (!isRejected(before) || (flags & EventFlag.backfilled) !== 0) return flags;
    if (this.#view.partialNid !== null || room.mainTipPos === BEFORE_ALL) return flags;
    const current = await room.current.prefetch(tuplesForEvent(room, event));
    const isDenied = (flags & EventFlag.policyDenied) !== 0 || !judgeByState(room, event, current).ok;
    return isDenied ? flags | EventFlag.softFailed : flags;
  }

  /** Whether the stored state before the event is this one. */
  async #hasStateBefore(place: EventPlace, state: VirtualState): Promise<boolean> {
    const { lines } = this.#view;
    const point = this.#view.room.pointAfter(place);
    const keys = await differingKeys(lines, point, state.base);
    for (const skey of state.difference.keys()) keys.add(skey);
    if (place.skey !== null) keys.add(place.skey);
    const wanted = [...keys];
    const stored = await eventsAt(lines, point, wanted);
    const expected = await virtualEventsAt(lines, state, wanted);
    for (const skey of wanted) {
      let before = stored.get(skey);
      // the row of an accepted state event holds what its key had before (R3)
      if (skey === place.skey && !isRejected(place))
        before = (await lines.changesAt(point.line, point.pos, [skey])).get(skey)?.prev ?? undefined;
      if (before !== expected.get(skey)) return false;
    }
    return true;
  }
}
