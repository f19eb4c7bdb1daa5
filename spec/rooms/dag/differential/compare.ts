/** Runs one random room through the naive room and through the store, and compares after every step. */
import { authTypesForEvent } from '../../../../src/matrix/event-auth/auth-types.ts';
import type { RoomEvent } from '../../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../../src/matrix/ids/ids.ts';
import { type StateMapKey, stateMapKey } from '../../../../src/matrix/state-res/state-map.ts';
import type { RoomDag } from '../../../../src/rooms/dag/contract.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { EventFlag } from '../../../../src/storage/event-flags.ts';
import { mainsOfRoom } from '../../../../src/storage/stores/state-line-store.ts';
import { extremitiesOf, placesByNids } from '../../../../src/storage/stores/room-graph-store.ts';
import { makeEvent, rulesOf } from '../support/test-room.ts';
import { type Given, type NaiveRecord, NaiveRoom, type State, sameState } from './naive-room.ts';
import { Deliveries, type Operation } from './operations.ts';
import { Seeded } from './seeded.ts';
import { StoredRoom } from './stored-room.ts';
import { World } from './world.ts';

export type Counts = Record<string, number>;

export async function compareRoom(db: Database, seed: number, version: string, counts: Counts): Promise<void> {
  const comparison = new Comparison(db, seed, version, counts);
  await comparison.open();
  await comparison.run();
}

class Comparison {
  readonly #counts: Counts;
  readonly #world: World;
  readonly #naive: NaiveRoom;
  readonly #stored: StoredRoom;
  readonly #deliveries: Deliveries;
  /** Chooses what is compared; it has no part in what happens. */
  readonly #checks: Seeded;
  /** The store's position of each step of the naive room. */
  readonly #posOf: number[] = [0];
  /** Steps below are purged. */
  #floor = 1;
  #unchecked = 0;

  constructor(db: Database, seed: number, version: string, counts: Counts) {
    const random = new Seeded(seed);
    this.#counts = counts;
    this.#checks = new Seeded(seed ^ 0x5bd1e995);
    const lineDepthMax = this.#checks.pick([1, 2, 3, 8]);
    this.#world = new World(random, rulesOf(version), `${version.replace('.', '')}x${seed}`);
    const size = 30 + (random.chance(75) ? random.below(60) : random.below(171));
    this.#deliveries = new Deliveries(this.#world, size);
    this.#naive = new NaiveRoom(this.#world.events, this.#world.create, this.#world.rules);
    this.#stored = new StoredRoom(db, this.#world.roomId, lineDepthMax);
  }

  open(): Promise<void> {
    return this.#stored.open(this.#world.rules.version);
  }

  async run(): Promise<void> {
    for (const operation of this.#deliveries.all()) {
      await this.#perform(operation);
      if (operation.kind === 'outlier') continue;
      // now and then several units are under way before anybody looks
      if (this.#checks.chance(30) && ++this.#unchecked < 6) continue;
      await this.#check();
    }
    await this.#check();
    const report = await this.#stored.verify();
    if (report.differences.length > 0) this.#count('rooms with events that would be judged differently now');
    this.#count('rooms');
  }

  async #perform(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'outlier':
        return this.#outlier(operation.event);
      case 'event':
        return this.#receive(operation);
      case 'local':
        for (let i = 0; i < operation.count; i++) await this.#sendLocal();
        return;
      case 'rejudge':
        return this.#rejudge(operation.eventId);
      case 'fill':
        return this.#fill(operation.full);
      case 'purge':
        return this.#purge(operation.back);
      case 'restart':
        return this.#restart();
    }
  }

  async #outlier(event: RoomEvent): Promise<void> {
    if (this.#naive.records.has(event.eventId) || this.#stored.knows(event.eventId)) return;
    this.#naive.outlier(event);
    const { nid, verdict } = await this.#stored.dag.outlier(event, this.#world.bodies.get(event.eventId)!);
    this.#stored.know(event.eventId, nid);
    this.#count('outliers');
    if (verdict.ok === this.#naive.rejected.has(event.eventId))
      throw new Error(`outlier ${event.eventId}: ${verdict.ok}`);
  }

  async #receive(operation: Extract<Operation, { kind: 'event' }>): Promise<void> {
    const { event, backfill, partial, policyDenies } = operation;
    for (const needed of this.#deliveries.authChain(event)) await this.#perform(needed);
    const given = await this.#withPurgedParents(event, operation.given);
    const record = this.#naive.receive(event, { given, backfill, partial, policyDenies });
    const lists = given && listsOf(given);
    const body = this.#world.bodies.get(event.eventId)!;
    const options = { ...(lists && { given: lists }), backfill, partial, policyDenies };
    const placed = await this.#stored.dag.receive(event, body, options);
    this.#stored.know(event.eventId, placed.nid);
    this.#posOf.push(placed.pos);
    this.#count('events');
    if (given !== undefined) this.#count('events with given states');
    if (backfill) this.#count('backfilled');
    if (record.rejected) this.#count('rejected');
    if (record.softFailed) this.#count('soft-failed');
    if (placed.verdict.ok === record.rejected || placed.softFailed !== record.softFailed)
      throw new Error(`verdict of ${event.eventId}: ${show(record)} / ${placed.verdict.ok} ${placed.softFailed}`);
    this.#checkChanges(placed.stateChanges);
  }

  /** Parents that were purged meanwhile: another server is asked for the state. */
  async #withPurgedParents(event: RoomEvent, given: Given | undefined): Promise<Given | undefined> {
    let all = given;
    for (const id of event.prevEvents) {
      if (all?.has(id) === true || this.#naive.records.has(id)) continue;
      const state = this.#world.stateAfter(id);
      for (const stateEvent of state.values())
        for (const operation of this.#deliveries.store(this.#world.events.get(stateEvent)!))
          await this.#perform(operation);
      all = new Map(all).set(id, state);
    }
    return all;
  }

  async #sendLocal(): Promise<void> {
    const { extremities } = this.#naive;
    if (extremities.size === 0 || this.#naive.currentState.size < 3) return;
    const draft = this.#world.randomDraft(0, this.#naive.currentState);
    const subject = { ...draft, sender: draft.sender as RoomEvent['sender'] };
    const tuples = authTypesForEvent(subject, this.#world.rules);
    const state = await this.#stored.dag.currentEvents(tuples);
    const frontier = this.#stored.dag.frontier();
    const prevEvents = frontier.prevEvents.map((at) => at.eventId);
    if (prevEvents.some((id) => !extremities.has(id)) || prevEvents.length !== Math.min(20, extremities.size))
      throw new Error(`frontier ${prevEvents.join()} / ${[...extremities].join()}`);
    const authEvents = tuples.flatMap(([type, stateKey]) => state(type, stateKey)?.eventId ?? []);
    const expected = tuples.flatMap(([type, key]) => this.#naive.currentState.get(stateMapKey(type, key)) ?? []);
    if (authEvents.join() !== expected.join()) throw new Error(`auth events ${authEvents.join()} / ${expected.join()}`);
    const probe = makeEvent(this.#probeFields(draft, prevEvents, authEvents), this.#world.rules);
    if (!this.#naive.wouldAllow(probe.event)) {
      const placed = await this.#stored.dag.receive(probe.event, probe.body, { local: true });
      if (placed.verdict.ok || placed.ticket !== undefined) throw new Error('a local event should have been refused');
      this.#count('local events refused');
      return;
    }
    const event = this.#world.add(draft, prevEvents, authEvents);
    this.#world.spread(event, undefined);
    this.#deliveries.made(event);
    this.#naive.receive(event);
    const placed = await this.#stored.dag.receive(event, this.#world.bodies.get(event.eventId)!, { local: true });
    if (!placed.verdict.ok) throw new Error(`local ${draft.type} was refused: ${placed.verdict.reason}`);
    this.#stored.know(event.eventId, placed.nid);
    this.#posOf.push(placed.pos);
    this.#checkChanges(placed.stateChanges);
    this.#count('local events');
  }

  #probeFields(
    draft: ReturnType<World['randomDraft']>,
    prevEvents: readonly EventId[],
    authEvents: readonly EventId[],
  ) {
    const eventId = `$probe${this.#world.roomId.slice(1)}_${this.#posOf.length}` as EventId;
    return { ...draft, eventId, roomId: this.#world.roomId, originServerTs: 0, depth: 9, prevEvents, authEvents };
  }

  async #rejudge(eventId: EventId): Promise<void> {
    const record = this.#naive.records.get(eventId);
    if (record === undefined || !record.event.prevEvents.every((id) => this.#naive.records.has(id))) return;
    const before = this.#verdicts();
    this.#naive.rejudge(eventId, undefined);
    const outcome = await this.#stored.dag.rejudge(eventId);
    this.#compareRejudged(before, outcome);
    this.#count('judged again');
  }

  async #fill(full: State): Promise<void> {
    if (this.#naive.partialJoin === undefined) return;
    const before = this.#verdicts();
    const laid = await this.#stored.dag.layFullState([...full.values()]);
    this.#naive.fill(full);
    this.#compareRejudged(before, await this.#stored.dag.fill(laid));
    this.#count('partial fills');
  }

  #verdicts(): ReadonlyMap<EventId, boolean> {
    return new Map([...this.#naive.records].map(([id, record]) => [id, record.rejected]));
  }

  #compareRejudged(before: ReadonlyMap<EventId, boolean>, outcome: Awaited<ReturnType<RoomDag['rejudge']>>): void {
    this.#posOf.push(outcome.pos);
    this.#checkChanges(outcome.stateChanges);
    const changed = [...this.#naive.records.values()].filter((one) => before.get(one.event.eventId) !== one.rejected);
    const idsOf = (records: readonly NaiveRecord[]) =>
      records
        .map((one) => one.event.eventId)
        .sort()
        .join();
    const accepted = outcome.accepted
      .map((one) => one.event.eventId)
      .sort()
      .join();
    const rejected = outcome.rejected
      .map((one) => one.event.eventId)
      .sort()
      .join();
    if (accepted !== idsOf(changed.filter((one) => !one.rejected))) throw new Error(`un-rejected ${accepted}`);
    if (rejected !== idsOf(changed.filter((one) => one.rejected))) throw new Error(`rejected later ${rejected}`);
    this.#count('un-rejected', outcome.accepted.length);
    this.#count('rejected later', outcome.rejected.length);
  }

  async #purge(back: number): Promise<void> {
    if (this.#naive.partialJoin !== undefined) return;
    const cut = Math.max(1, this.#naive.step - back);
    this.#floor = Math.max(this.#floor, cut);
    this.#naive.purge(cut);
    const purged = await this.#stored.dag.purge(this.#posOf[cut]!);
    this.#count('purges');
    this.#count('rows vacuumed', purged.stateChanges);
    await this.#forget();
  }

  /** What the store does not know any more is fetched again when something names it. */
  async #forget(): Promise<void> {
    for (const eventId of await this.#stored.forgetPurged()) {
      if (this.#naive.records.has(eventId)) throw new Error(`${eventId} was purged, but is retained`);
      this.#deliveries.forget(eventId);
      this.#count('events forgotten');
    }
  }

  async #restart(): Promise<void> {
    await this.#stored.open(this.#world.rules.version);
    this.#count('restarts');
  }

  /** The reported changes must lead from the last current state to the new one. */
  #checkChanges(changes: Awaited<ReturnType<RoomDag['receive']>>['stateChanges']): void {
    const { current, step } = this.#naive;
    const state = new Map(current[step - 1]);
    for (const { type, stateKey, event, previousNid } of changes) {
      const key = stateMapKey(type, stateKey);
      const previous = previousNid === null ? undefined : this.#stored.idOf(previousNid);
      if (state.get(key) !== previous) throw new Error(`previous of ${key}: ${state.get(key)} / ${previous}`);
      if (event === null) state.delete(key);
      else state.set(key, event.event.eventId);
    }
    this.#equal('reported changes', current[step]!, state);
  }

  async #check(): Promise<void> {
    this.#unchecked = 0;
    await this.#stored.db.drained();
    if (this.#checks.chance(4)) await this.#stored.verify();
    await this.#compareExtremities();
    const records = [...this.#naive.records.values()];
    const chosen = new Set(records.slice(-1));
    for (let i = 0; i < 3 && records.length > 0; i++) chosen.add(this.#checks.pick(records));
    for (const record of chosen) await this.#compareEvent(record);
    await this.#compareStep(this.#naive.step);
    if (this.#naive.step < this.#floor) return;
    const pick = () => this.#floor + this.#checks.below(this.#naive.step - this.#floor + 1);
    const [one, other] = [pick(), pick()];
    await this.#compareStep(one);
    await this.#compareDelta(Math.min(one, other), Math.max(one, other), true);
    if (this.#floor > 1) await this.#compareDelta(this.#checks.below(this.#floor), other, false);
  }

  async #compareExtremities(): Promise<void> {
    const expected = [...this.#naive.extremities].sort().join();
    const stored = await this.#stored.db.all(extremitiesOf, { room: this.#stored.dag.room });
    const inStore = stored
      .map((row) => row.event_id)
      .sort()
      .join();
    const inMemory = this.#stored.dag
      .frontier()
      .prevEvents.map((at) => at.eventId)
      .sort()
      .join();
    if (inStore !== expected) throw new Error(`extremities ${expected} / ${inStore}`);
    if (stored.length <= 20 && inMemory !== expected)
      throw new Error(`extremities ${expected} / in memory ${inMemory}`);
  }

  async #compareEvent(record: NaiveRecord): Promise<void> {
    const { eventId } = record.event;
    const nid = this.#stored.nidOf(eventId);
    const [place] = await this.#stored.db.all(placesByNids, { nids: [nid] });
    const flags = place?.flags ?? 0;
    const verdict = [record.rejected, record.softFailed, record.partial, record.backfill];
    const bits = [EventFlag.rejected, EventFlag.softFailed, EventFlag.partialState, EventFlag.backfilled];
    const stored = bits.map((bit) => (flags & bit) !== 0);
    if (place === undefined || place.pos === null || verdict.join() !== stored.join())
      throw new Error(`stored verdict of ${eventId}: ${verdict.join()} / ${stored.join()}`);
    if ((place.ord !== null) !== (!record.rejected && !record.softFailed)) throw new Error(`order of ${eventId}`);
    this.#equal(
      `state after ${eventId}`,
      record.after,
      await this.#stored.named(await this.#stored.reader.stateAfter(nid)),
    );
    this.#equal(
      `state before ${eventId}`,
      record.before,
      await this.#stored.named(await this.#stored.reader.stateBefore(nid)),
    );
    const { type, stateKey = '' } = this.#world.events.get(this.#checks.pick([...this.#world.events.keys()]))!;
    for (const [which, state, found] of [
      ['after', record.after, await this.#stored.reader.stateEventAfter(nid, type, stateKey)],
      ['before', record.before, await this.#stored.reader.stateEventBefore(nid, type, stateKey)],
    ] as const) {
      const stored = found === undefined ? undefined : this.#stored.idOf(found);
      if (state.get(stateMapKey(type, stateKey)) !== stored) throw new Error(`${type} ${stateKey} ${which} ${eventId}`);
    }
  }

  async #compareStep(step: number): Promise<void> {
    const stored = await this.#stored.named(
      await this.#stored.reader.stateAt(this.#stored.dag.room, this.#posOf[step]!),
    );
    this.#equal(`current state at step ${step}`, this.#naive.current[step]!, stored);
  }

  /** `isExact`: what did not change really did not; else every key that differs must be there, with its value. */
  async #compareDelta(since: number, now: number, isExact: boolean): Promise<void> {
    const [before, after] = [this.#naive.current[since]!, this.#naive.current[now]!];
    const delta = await this.#stored.reader.delta(this.#stored.dag.room, this.#posOf[since]!, this.#posOf[now]!);
    await this.#stored.loadKeys(delta.keys());
    const patched = new Map(isExact ? before : after);
    for (const key of isExact ? [] : before.keys()) if (!after.has(key)) patched.delete(key);
    const seen = new Set<StateMapKey>();
    for (const [skey, nid] of delta) {
      const key = this.#stored.keyOf(skey);
      seen.add(key);
      if (nid === null) patched.delete(key);
      else patched.set(key, this.#stored.idOf(nid));
    }
    this.#equal(`delta ${since} to ${now}`, after, patched);
    // of a line that a purge took away nobody knows any more which keys it had
    const mains = await this.#stored.db.all(mainsOfRoom, { room: this.#stored.dag.room });
    const isLost = this.#posOf[since]! < mains[0]!.from_pos;
    for (const key of new Set([...(isLost ? [] : before.keys()), ...after.keys()]))
      if (before.get(key) !== after.get(key) && !seen.has(key))
        throw new Error(`delta ${since} to ${now} lacks ${key}`);
    this.#count(isExact ? 'deltas' : 'deltas from before a purge');
  }

  #equal(what: string, expected: State, stored: State): void {
    this.#count('comparisons');
    if (!sameState(expected, stored))
      throw new Error(`${what}\n naive ${showState(expected)}\n store ${showState(stored)}`);
  }

  #count(what: string, by = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + by;
  }
}

/** The same list for the same state, as a caller has it that asked once. */
function listsOf(given: ReadonlyMap<EventId, State>): Map<EventId, readonly EventId[]> {
  const lists = new Map<State, readonly EventId[]>();
  const byParent = new Map<EventId, readonly EventId[]>();
  for (const [parentId, state] of given) {
    const list = lists.get(state) ?? [...state.values()];
    lists.set(state, list);
    byParent.set(parentId, list);
  }
  return byParent;
}

const show = (record: NaiveRecord): string => `rejected ${record.rejected} soft-failed ${record.softFailed}`;
const showState = (state: State): string =>
  [...state]
    .map(([key, id]) => `${key}=${id}`)
    .sort()
    .join(' ');
