/**
 * The reference: the complete state before and after every event, the complete current state at every step, and state
 * resolution over complete states and complete auth chains.
 */
import { checkStateDependentAuthRules } from '../../../../src/matrix/event-auth/state-dependent.ts';
import { checkStateIndependentAuthRules } from '../../../../src/matrix/event-auth/state-independent.ts';
import type { RoomEvent, StateLookup } from '../../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../../src/matrix/ids/ids.ts';
import type { RoomVersionRules } from '../../../../src/matrix/room-versions/rules.ts';
import { resolveState } from '../../../../src/matrix/state-res/resolve-state.ts';
import { type StateMapKey, stateMapKey } from '../../../../src/matrix/state-res/state-map.ts';

export type State = ReadonlyMap<StateMapKey, EventId>;
export type Given = ReadonlyMap<EventId, State>;

export interface NaiveOptions {
  readonly given?: Given | undefined;
  readonly backfill?: boolean;
  readonly partial?: boolean;
  readonly policyDenies?: boolean;
}

export interface NaiveRecord {
  readonly event: RoomEvent;
  readonly step: number;
  before: State;
  after: State;
  rejected: boolean;
  softFailed: boolean;
  partial: boolean;
  given: Given | undefined;
  readonly backfill: boolean;
  readonly policyDenies: boolean;
}

export const keyOf = (event: RoomEvent): StateMapKey => stateMapKey(event.type, event.stateKey ?? '');

export class NaiveRoom {
  readonly rules: RoomVersionRules;
  readonly create: RoomEvent;
  /** Everything that exists, shared with the world. */
  readonly events: ReadonlyMap<EventId, RoomEvent>;
  /** In the order of arrival. */
  readonly records = new Map<EventId, NaiveRecord>();
  readonly rejected = new Set<EventId>();
  /** By step. */
  readonly current: State[] = [new Map()];
  extremities = new Set<EventId>();
  partialJoin: EventId | undefined;
  /** What purged events referred to: it stays hidden. */
  readonly #hiddenByPurged = new Set<EventId>();

  constructor(events: ReadonlyMap<EventId, RoomEvent>, create: RoomEvent, rules: RoomVersionRules) {
    this.events = events;
    this.create = create;
    this.rules = rules;
  }

  get step(): number {
    return this.current.length - 1;
  }

  get currentState(): State {
    return this.current[this.step]!;
  }

  counts(record: NaiveRecord): boolean {
    return !record.rejected && !record.softFailed && !record.backfill;
  }

  outlier(event: RoomEvent): void {
    if (this.#allowedByAuthEvents(event)) this.rejected.delete(event.eventId);
    else this.rejected.add(event.eventId);
  }

  stateBefore(prevEvents: readonly EventId[], given?: Given): State {
    return this.#resolve(prevEvents.map((id) => given?.get(id) ?? this.records.get(id)!.after));
  }

  receive(event: RoomEvent, options: NaiveOptions = {}): NaiveRecord {
    if (options.partial === true) this.partialJoin = event.eventId;
    const record: NaiveRecord = {
      event,
      step: this.step + 1,
      before: new Map(),
      after: new Map(),
      rejected: false,
      softFailed: false,
      partial: false,
      given: options.given,
      backfill: options.backfill === true,
      policyDenies: options.policyDenies === true,
    };
    this.#judge(record, true);
    this.records.set(event.eventId, record);
    this.extremities = this.#fold();
    this.current.push(this.#resolveCurrent());
    return record;
  }

  /** A local event that is refused is as if it never was. */
  wouldAllow(event: RoomEvent): boolean {
    const before = this.stateBefore(event.prevEvents);
    return this.#allowedByAuthEvents(event) && this.allowed(event, before) && this.allowed(event, this.currentState);
  }

  rejudge(eventId: EventId, given: Given | undefined): void {
    const record = this.records.get(eventId)!;
    record.given = given;
    this.#judgeAgain(record);
    this.extremities = this.#fold();
    this.current.push(this.#resolveCurrent());
  }

  fill(full: State): void {
    const join = this.records.get(this.partialJoin!)!;
    this.partialJoin = undefined;
    this.rejudge(join.event.eventId, new Map(join.event.prevEvents.map((id) => [id, full])));
  }

  purge(cutStep: number): void {
    const gone = [...this.records.values()].filter(
      (record) => record.step < cutStep && !this.extremities.has(record.event.eventId),
    );
    for (const record of gone) {
      if (!this.#hides(record)) continue;
      for (const id of record.event.prevEvents) this.#hiddenByPurged.add(id);
    }
    for (const record of gone) this.records.delete(record.event.eventId);
  }

  allowed(event: RoomEvent, state: State): boolean {
    return checkStateDependentAuthRules(event, this.#lookup(state), this.rules).ok;
  }

  #lookup(state: State): StateLookup {
    const implied = this.rules.eventAuth.createEventIsRoomId;
    return (type, stateKey) => {
      if (implied && type === 'm.room.create' && stateKey === '') return this.create;
      const id = state.get(stateMapKey(type, stateKey));
      return id === undefined ? undefined : this.events.get(id);
    };
  }

  #allowedByAuthEvents(event: RoomEvent): boolean {
    const cited = event.authEvents.map((id) => ({ event: this.events.get(id)!, rejected: this.rejected.has(id) }));
    const create = { event: this.create, rejected: false };
    if (!checkStateIndependentAuthRules(event, cited, this.rules, create).ok) return false;
    return this.allowed(event, this.#citedState(event));
  }

  #citedState(event: RoomEvent): State {
    return new Map(event.authEvents.map((id) => [keyOf(this.events.get(id)!), id]));
  }

  #resolve(states: readonly State[]): State {
    if (states.length === 0) return new Map();
    if (states.every((state) => state === states[0])) return states[0]!;
    return resolveState(states, { events: this.events, rejected: this.rejected }, this.create, this.rules);
  }

  #resolveCurrent(): State {
    const states = [...this.extremities].map((id) => this.records.get(id)!.after);
    // without extremities the current state stays as it was
    return states.length === 0 ? this.currentState : this.#resolve(states);
  }

  #judge(record: NaiveRecord, isFirst: boolean): void {
    const { event, given } = record;
    const wasRejected = this.rejected.has(event.eventId);
    record.before = this.stateBefore(event.prevEvents, given);
    const isPartial = (id: EventId) => given?.has(id) !== true && this.records.get(id)!.partial;
    record.partial = this.partialJoin === event.eventId || event.prevEvents.some(isPartial);
    const known = record.partial ? new Map([...this.#citedState(event), ...record.before]) : record.before;
    const ok = this.#allowedByAuthEvents(event) && this.allowed(event, known);
    record.rejected = !ok;
    if (ok) this.rejected.delete(event.eventId);
    else this.rejected.add(event.eventId);
    const isState = ok && event.stateKey !== undefined;
    record.after = isState ? new Map(record.before).set(keyOf(event), event.eventId) : record.before;
    if (isFirst || wasRejected) record.softFailed = ok && this.#softFails(record);
    if (!ok) record.softFailed = false;
  }

  #softFails(record: NaiveRecord): boolean {
    if (record.backfill || this.partialJoin !== undefined || this.currentState.size === 0) return false;
    return record.policyDenies || !this.allowed(record.event, this.currentState);
  }

  /** Causally; only events for which something changed. */
  #judgeAgain(start: NaiveRecord): void {
    const changed = new Set<EventId>();
    const flipped = new Set<EventId>();
    for (const record of this.#descendantsInOrder(start)) {
      const { event, given } = record;
      const isAffected =
        record === start ||
        event.prevEvents.some((id) => given?.has(id) !== true && changed.has(id)) ||
        event.authEvents.some((id) => flipped.has(id));
      if (!isAffected) continue;
      // a parent was purged: it stays as it is
      if (!event.prevEvents.every((id) => this.records.has(id) || given?.has(id) === true)) continue;
      const was = { ...record };
      this.#judge(record, false);
      if (was.rejected !== record.rejected) flipped.add(event.eventId);
      if (was.rejected !== record.rejected || was.partial !== record.partial || !sameState(was.before, record.before))
        changed.add(event.eventId);
    }
  }

  #descendantsInOrder(start: NaiveRecord): NaiveRecord[] {
    const found = new Set([start]);
    for (let size = 0; size !== found.size;) {
      size = found.size;
      for (const record of this.records.values()) {
        const follows = (id: EventId) => record.given?.has(id) !== true && found.has(this.records.get(id)!);
        if (record.event.prevEvents.some((id) => this.records.has(id) && follows(id))) found.add(record);
      }
    }
    const ordered: NaiveRecord[] = [];
    const placed = new Set<NaiveRecord>();
    const place = (record: NaiveRecord) => {
      if (placed.has(record)) return;
      placed.add(record);
      for (const id of record.event.prevEvents) {
        const parent = this.records.get(id);
        if (parent !== undefined && found.has(parent) && record.given?.has(id) !== true) place(parent);
      }
      ordered.push(record);
    };
    for (const record of found) place(record);
    return ordered;
  }

  /** The counted events that no counted event refers to, seen through events that are not counted. */
  #fold(): Set<EventId> {
    const children = new Map<EventId, NaiveRecord[]>();
    for (const record of this.records.values())
      for (const id of record.event.prevEvents) children.set(id, [...(children.get(id) ?? []), record]);
    const found = new Set<EventId>();
    for (const record of this.records.values())
      if (this.counts(record) && !this.#isReferenced(record.event.eventId, children)) found.add(record.event.eventId);
    return found;
  }

  #isReferenced(
    eventId: EventId,
    children: ReadonlyMap<EventId, readonly NaiveRecord[]>,
    seen = new Set<EventId>(),
  ): boolean {
    if (seen.has(eventId)) return false;
    seen.add(eventId);
    if (this.#hiddenByPurged.has(eventId)) return true;
    return (children.get(eventId) ?? []).some(
      (child) => this.counts(child) || this.#isReferenced(child.event.eventId, children, seen),
    );
  }

  /** Whether what it refers to is hidden because of it. */
  #hides(record: NaiveRecord): boolean {
    if (this.counts(record)) return true;
    const children = new Map<EventId, NaiveRecord[]>();
    for (const other of this.records.values())
      for (const id of other.event.prevEvents) children.set(id, [...(children.get(id) ?? []), other]);
    return this.#isReferenced(record.event.eventId, children);
  }
}

export function sameState(a: State, b: State): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, id] of a) if (b.get(key) !== id) return false;
  return true;
}
