/**
 * Checks a stored room. The forward extremities are found again from the events; the current state must be what the states of
 * the extremities resolve to, with complete states and complete auth chains. Every event is judged again from the events
 * alone, and what comes out differently is told.
 * Needs memory for the room's state events, and time that grows with the room; reads only.
 */
import { checkStateDependentAuthRules } from '../../matrix/event-auth/state-dependent.ts';
import { checkStateIndependentAuthRules } from '../../matrix/event-auth/state-independent.ts';
import type { RoomEvent, StateLookup } from '../../matrix/events/room-event.ts';
import { createEventIdOfRoom } from '../../matrix/ids/room-id.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { findRoomVersion } from '../../matrix/room-versions/table.ts';
import { resolveState } from '../../matrix/state-res/resolve-state.ts';
import { type StateMapKey, stateMapKey } from '../../matrix/state-res/state-map.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import type { Reads } from '../../storage/snapshot.ts';
import { stateKeysBySkeys } from '../../storage/stores/name-store.ts';
import { extremitiesOf, missingRefsTo, placesByNids, roomById } from '../../storage/stores/room-graph-store.ts';
import { givenStatesOf } from '../../storage/stores/state-line-store.ts';
import { StateReader } from '../state/state-reader.ts';
import { inCausalOrder } from './causal-order.ts';
import { type EventPlace, isCounted, isRejected } from './event-places.ts';
import { NOW } from './state-point.ts';
import { type StoredEvent, loadStoredEvents } from './stored-events.ts';
import { type StateSize, measureState } from './state-size.ts';

export interface RoomReport {
  readonly events: number;
  /** Events whose verdict or state could not be checked, because what they refer to is not stored any more. */
  readonly taken: number;
  readonly extremities: number;
  readonly stateKeys: number;
  readonly size: StateSize;
  /** Sentences; empty when everything is as it should be. */
  readonly problems: readonly string[];
  /**
   * What would come out differently if it came in now. Events are judged when they come and stay so (R10), so this is no
   * fault by itself: an auth event that was an outlier may have been judged at its place since.
   */
  readonly differences: readonly string[];
}

/** undefined: the database has no such room. */
export async function verifyRoom(db: Reads, roomId: RoomId): Promise<RoomReport | undefined> {
  const row = await db.one(roomById, { roomId });
  if (row === undefined) return undefined;
  const rules = findRoomVersion(row.version);
  if (rules === undefined) throw new Error(`the room has the unknown version ${row.version}`);
  const verification = new Verification(db, row.room, roomId, rules, row.partial_nid);
  return verification.run();
}

type State = Map<StateMapKey, EventId>;
interface Judged {
  readonly stored: StoredEvent;
  readonly after: State;
}

class Verification {
  readonly #db: Reads;
  readonly #room: number;
  readonly #roomId: RoomId;
  readonly #rules: RoomVersionRules;
  readonly #partialNid: number | null;
  readonly #reader: StateReader;
  readonly #problems: string[] = [];
  readonly #differences: string[] = [];
  /** Every event of the room that is stored. */
  #events = new Map<EventId, StoredEvent>();
  readonly #idOf = new Map<number, EventId>();
  readonly #known = new Map<EventId, RoomEvent>();
  readonly #rejected = new Set<EventId>();
  /** States that children still need. */
  readonly #judged = new Map<EventId, Judged>();
  readonly #childrenLeft = new Map<EventId, number>();
  readonly #given = new Map<number, Set<string>>();
  readonly #keys = new Map<number, StateMapKey>();
  #taken = 0;

  constructor(db: Reads, room: number, roomId: RoomId, rules: RoomVersionRules, partialNid: number | null) {
    this.#db = db;
    this.#room = room;
    this.#roomId = roomId;
    this.#rules = rules;
    this.#partialNid = partialNid;
    this.#reader = new StateReader(db, { findSkey: () => Promise.resolve(undefined) });
  }

  async run(): Promise<RoomReport> {
    await this.#load();
    const judged = [...this.#events.values()].filter((stored) => stored.place.pos !== null);
    const extremities = new Set(
      (await this.#db.all(extremitiesOf, { room: this.#room })).map((at) => at.event_id as EventId),
    );
    for (const { event } of judged)
      for (const id of new Set(event.prevEvents)) this.#childrenLeft.set(id, (this.#childrenLeft.get(id) ?? 0) + 1);
    for (const id of extremities) this.#childrenLeft.set(id, (this.#childrenLeft.get(id) ?? 0) + 1);
    const follows = (place: { readonly nid: number }, id: EventId) => this.#given.get(place.nid)?.has(id) !== true;
    for (const stored of inCausalOrder(judged, follows)) await this.#judge(stored);
    await this.#checkExtremities(judged, extremities);
    const stateKeys = await this.#checkCurrentState(extremities);
    return {
      events: judged.length,
      taken: this.#taken,
      extremities: extremities.size,
      stateKeys,
      size: await measureState(this.#db, this.#room),
      problems: this.#problems,
      differences: this.#differences,
    };
  }

  async #load(): Promise<void> {
    this.#events = await loadStoredEvents(this.#db, this.#room, this.#rules);
    for (const { place, event } of this.#events.values()) {
      this.#idOf.set(place.nid, place.eventId);
      this.#known.set(place.eventId, event);
      if (isRejected(place)) this.#rejected.add(place.eventId);
    }
    const nids = [...this.#idOf.keys()];
    for (let at = 0; at < nids.length; at += 500)
      for (const row of await this.#db.all(givenStatesOf, { nids: nids.slice(at, at + 500) })) {
        const parents = this.#given.get(row.nid) ?? new Set();
        this.#given.set(row.nid, parents.add(row.parent_id));
      }
  }

  async #judge(stored: StoredEvent): Promise<void> {
    const { event, place } = stored;
    const before = await this.#stateBefore(stored);
    const result = this.#verdict(stored, before);
    if (result === isRejected(place))
      this.#differences.push(
        `${event.eventId} was ${result ? 'rejected, and would be allowed' : 'allowed, and would be rejected'}`,
      );
    if (!isRejected(place) && event.stateKey !== undefined)
      before.set(stateMapKey(event.type, event.stateKey), event.eventId);
    this.#judged.set(event.eventId, { stored, after: before });
    if (this.#childrenLeft.get(event.eventId) === undefined) this.#judged.delete(event.eventId);
    for (const id of new Set(event.prevEvents)) this.#release(id);
  }

  /** A map of its own: the last child of an event goes on with its parent's, so a line of events copies nothing. */
  async #stateBefore(stored: StoredEvent): Promise<State> {
    const { event, place } = stored;
    const given = this.#given.get(place.nid);
    const parents = event.prevEvents.map((id) => (given?.has(id) === true ? undefined : this.#judged.get(id)));
    if (parents.length === 0) return new Map();
    if (parents.some((parent) => parent === undefined)) {
      this.#taken++;
      return this.#storedState(await this.#reader.stateBefore(place.nid));
    }
    const states = [...new Set(parents.map((parent) => parent!.after))];
    if (states.length > 1) return this.#resolve(states);
    const [only] = event.prevEvents;
    return this.#childrenLeft.get(only!) === 1 ? states[0]! : new Map(states[0]);
  }

  #verdict({ event, place }: StoredEvent, before: State): boolean {
    const cited = event.authEvents.map((id) => ({ event: this.#known.get(id), rejected: this.#rejected.has(id) }));
    const complete = cited.filter((one): one is { event: RoomEvent; rejected: boolean } => one.event !== undefined);
    // what a purge took away cannot be judged again
    if (complete.length < cited.length) return !isRejected(place);
    const create = this.#create();
    const implied = create && { event: create, rejected: this.#rejected.has(create.eventId) };
    if (!checkStateIndependentAuthRules(event, complete, this.#rules, implied).ok) return false;
    const byAuthEvents = new Map(
      complete.map((one) => [stateMapKey(one.event.type, one.event.stateKey ?? ''), one.event.eventId]),
    );
    if (!checkStateDependentAuthRules(event, this.#lookup(byAuthEvents), this.#rules).ok) return false;
    if ((place.flags & EventFlag.partialState) !== 0 || place.nid === this.#partialNid) return true;
    return checkStateDependentAuthRules(event, this.#lookup(before), this.#rules).ok;
  }

  #create(): RoomEvent | undefined {
    return this.#rules.eventAuth.createEventIsRoomId ? this.#known.get(createEventIdOfRoom(this.#roomId)) : undefined;
  }

  #lookup(state: ReadonlyMap<StateMapKey, EventId>): StateLookup {
    const create = this.#create();
    return (type, stateKey) => {
      if (create !== undefined && type === 'm.room.create' && stateKey === '') return create;
      const id = state.get(stateMapKey(type, stateKey));
      return id === undefined ? undefined : this.#known.get(id);
    };
  }

  #resolve(states: readonly State[]): State {
    const [anyEvent] = this.#known.values();
    const create = this.#create() ?? anyEvent!;
    return resolveState(states, { events: this.#known, rejected: this.#rejected }, create, this.#rules);
  }

  #release(eventId: EventId): void {
    const left = (this.#childrenLeft.get(eventId) ?? 0) - 1;
    this.#childrenLeft.set(eventId, left);
    if (left <= 0) this.#judged.delete(eventId);
  }

  async #checkExtremities(judged: readonly StoredEvent[], stored: ReadonlySet<EventId>): Promise<void> {
    const children = new Map<EventId, StoredEvent[]>();
    for (const one of judged)
      for (const id of one.event.prevEvents) children.set(id, [...(children.get(id) ?? []), one]);
    for (const { place } of judged) {
      if (!isCounted(place)) continue;
      const expected = !(await this.#isReferenced(place, children));
      if (expected !== stored.has(place.eventId))
        this.#problems.push(`${place.eventId} should ${expected ? '' : 'not '}be a forward extremity`);
    }
  }

  /** R14. */
  async #isReferenced(place: EventPlace, children: ReadonlyMap<EventId, readonly StoredEvent[]>): Promise<boolean> {
    const seen = new Set([place.eventId]);
    for (const eventId of seen) {
      for (const child of children.get(eventId) ?? []) {
        if (isCounted(child.place)) return true;
        seen.add(child.event.eventId);
      }
      const refs = await this.#db.all(missingRefsTo, { eventIds: [eventId] });
      const counted = refs.filter((ref) => ref.counted === 1).map((ref) => ref.by_nid);
      const places = counted.length === 0 ? [] : await this.#db.all(placesByNids, { nids: counted });
      if (counted.some((nid) => !places.some((at) => at.nid === nid && at.pos !== null))) return true;
    }
    return false;
  }

  /** It must be the resolution of the states that are stored for the extremities; those are compared with the new ones. */
  async #checkCurrentState(extremities: ReadonlySet<EventId>): Promise<number> {
    const current = await this.#storedState(await this.#reader.stateAt(this.#room, NOW));
    const states: State[] = [];
    const differences: string[] = [];
    for (const id of extremities) {
      const stored = await this.#storedState(await this.#reader.stateAfter(this.#events.get(id)!.place.nid));
      states.push(stored);
      const now = this.#judged.get(id)?.after ?? new Map();
      differences.push(...differencesOf(now, stored).map((difference) => `after ${id}: ${difference}`));
    }
    // where every verdict comes out the same, so must the states
    (this.#differences.length === 0 ? this.#problems : this.#differences).push(...differences);
    if (states.length === 0) return current.size;
    const expected = states.length === 1 ? states[0]! : this.#resolve(states);
    this.#problems.push(...differencesOf(expected, current));
    return current.size;
  }

  async #storedState(state: ReadonlyMap<number, number>): Promise<State> {
    const missing = [...state.keys()].filter((skey) => !this.#keys.has(skey));
    for (let at = 0; at < missing.length; at += 500)
      for (const row of await this.#db.all(stateKeysBySkeys, { skeys: missing.slice(at, at + 500) }))
        this.#keys.set(row.skey, stateMapKey(row.type, row.key));
    const named: State = new Map();
    for (const [skey, nid] of state) {
      const id = this.#idOf.get(nid);
      if (id === undefined) this.#problems.push(`the state names event ${nid}, which is not stored`);
      else named.set(this.#keys.get(skey)!, id);
    }
    return named;
  }
}

function differencesOf(
  expected: ReadonlyMap<StateMapKey, EventId>,
  stored: ReadonlyMap<StateMapKey, EventId>,
): string[] {
  const differences: string[] = [];
  for (const [key, id] of expected)
    if (stored.get(key) !== id) differences.push(`${key} should be ${id}, but is ${stored.get(key) ?? 'absent'}`);
  for (const [key, id] of stored) if (!expected.has(key)) differences.push(`${key} should be absent, but is ${id}`);
  return differences;
}
