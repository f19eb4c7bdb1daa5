/** What happens at the server under test, in order: events come at once, late, out of order, as outliers, with states handed in. */
import type { RoomEvent } from '../../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../../src/matrix/ids/ids.ts';
import type { Given, State } from './naive-room.ts';
import type { World } from './world.ts';

export type Operation =
  | {
      readonly kind: 'event';
      readonly event: RoomEvent;
      readonly given: Given | undefined;
      readonly backfill: boolean;
      readonly partial: boolean;
      readonly policyDenies: boolean;
    }
  | { readonly kind: 'outlier'; readonly event: RoomEvent }
  | { readonly kind: 'rejudge'; readonly eventId: EventId }
  | { readonly kind: 'fill'; readonly full: State }
  | { readonly kind: 'purge'; readonly back: number }
  /** Own users write some events one after another without waiting for the disk. */
  | { readonly kind: 'local'; readonly count: number }
  | { readonly kind: 'restart' };

export class Deliveries {
  readonly #world: World;
  readonly #size: number;
  readonly #done = new Set<EventId>();
  readonly #stored = new Set<EventId>();
  readonly #waiting: { readonly eventId: EventId; readonly at: number }[] = [];
  readonly #toRejudge: { readonly eventId: EventId; readonly missing: readonly EventId[] }[] = [];
  /** Whether this server asks others for states when parents are missing. */
  readonly #asks: boolean;
  readonly #promptPercent: number;
  readonly #purgeAt: number;
  readonly #localPercent: number;
  #joinAt = -1;
  #partialJoin = false;
  #fillAt = -1;
  #joined: EventId | undefined;

  constructor(world: World, size: number) {
    const { random } = world;
    this.#world = world;
    this.#size = size;
    this.#promptPercent = world.calm ? 97 : random.chance(50) ? 90 : 70;
    this.#asks = random.chance(65);
    this.#purgeAt = random.chance(15) ? 20 + random.below(size) : -1;
    this.#localPercent = random.chance(40) ? random.pick([5, 15]) : 0;
    if (!random.chance(35)) return;
    this.#joinAt = 5 + random.below(size >> 1);
    this.#partialJoin = random.chance(60);
  }

  /** A local event came into being: others can build on it. */
  made(event: RoomEvent): void {
    this.#done.add(event.eventId);
    this.#stored.add(event.eventId);
  }

  /** It is stored no more. */
  forget(eventId: EventId): void {
    this.#stored.delete(eventId);
  }

  /** What has to be stored before the event. */
  authChain(event: RoomEvent): Generator<Operation> {
    return this.#storeAuthChain(event);
  }

  *all(): Generator<Operation> {
    const world = this.#world;
    const { random } = world;
    if (this.#joinAt < 0) for (const id of world.events.keys()) yield* this.#deliver(id);
    while (world.events.size < this.#size) {
      const id = world.step();
      if (this.#joinAt >= 0) {
        yield* this.#join(id);
        continue;
      }
      if (random.chance(this.#promptPercent)) yield* this.#deliver(id);
      else this.#wait(id, random.below(random.chance(80) ? 6 : 60));
      yield* this.#deliverDue();
      if (this.#fillAt > 0 && world.events.size >= this.#fillAt) yield* this.#fill();
      if (this.#joined !== undefined && random.chance(8)) yield* this.#backfill(this.#joined);
      if (world.events.size >= this.#purgeAt && this.#purgeAt > 0 && random.chance(10))
        yield { kind: 'purge', back: random.below(30) };
      if (random.chance(this.#localPercent)) yield { kind: 'local', count: 1 + random.below(4) };
      if (random.chance(2)) yield { kind: 'restart' };
    }
    yield* this.#finish();
  }

  *#finish(): Generator<Operation> {
    for (let round = 0; round < 40 && this.#waiting.length > 0; round++)
      for (const { eventId } of this.#waiting.splice(0)) yield* this.#deliver(eventId, round > 8);
    if (this.#fillAt > 0) yield* this.#fill();
  }

  #wait(eventId: EventId, steps: number): void {
    this.#waiting.push({ eventId, at: this.#world.events.size + steps });
  }

  *#deliverDue(): Generator<Operation> {
    for (const waiting of this.#waiting.filter((one) => one.at <= this.#world.events.size)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      yield* this.#deliver(waiting.eventId);
    }
  }

  *#join(eventId: EventId): Generator<Operation> {
    const world = this.#world;
    const record = world.model.records.get(eventId)!;
    if (world.events.size < this.#joinAt || record.rejected || record.before.size < 3) return;
    this.#joinAt = -1;
    this.#joined = eventId;
    const state = this.#partialJoin ? this.#partOf(record.before, record.event) : record.before;
    yield* this.#storeState(state);
    yield* this.#storeAuthChain(record.event);
    this.made(record.event);
    yield {
      kind: 'event',
      event: record.event,
      given: new Map(record.event.prevEvents.map((id) => [id, state])),
      backfill: false,
      partial: this.#partialJoin,
      policyDenies: false,
    };
    if (this.#partialJoin) this.#fillAt = world.events.size + 2 + world.random.below(30);
  }

  /** Without most members, but with what the join cites. */
  #partOf(full: State, join: RoomEvent): State {
    const part = new Map<typeof full extends ReadonlyMap<infer K, EventId> ? K : never, EventId>();
    for (const [key, id] of full) {
      const isMember = this.#world.events.get(id)!.type === 'm.room.member';
      if (!isMember || this.#world.random.chance(15) || join.authEvents.includes(id)) part.set(key, id);
    }
    return part;
  }

  *#fill(): Generator<Operation> {
    this.#fillAt = -1;
    const full = this.#world.model.records.get(this.#joined!)!.before;
    yield* this.#storeState(full);
    yield { kind: 'fill', full };
  }

  *#backfill(joined: EventId): Generator<Operation> {
    const missing = [...this.#world.ancestors.get(joined)!].filter((id) => !this.#done.has(id));
    const order = [...this.#world.events.keys()];
    const newest = missing.sort((a, b) => order.indexOf(b) - order.indexOf(a))[0];
    if (newest !== undefined) yield* this.#deliver(newest);
  }

  *#deliver(eventId: EventId, isLast = false): Generator<Operation> {
    const world = this.#world;
    const { random } = world;
    if (this.#done.has(eventId)) return;
    const event = world.events.get(eventId)!;
    const isBackfill = this.#joined !== undefined && world.ancestors.get(this.#joined)!.has(eventId);
    if (event.prevEvents.some((id) => !this.#done.has(id)) && !isBackfill) {
      // wait for the parents, fetch them, or (80 and above) take a state from another server on trust
      const choice = isLast ? (this.#asks && random.chance(15) ? 99 : 60) : random.below(this.#asks ? 100 : 80);
      if (choice < 55) return this.#wait(eventId, 1 + random.below(6));
      if (choice < 80) for (const id of event.prevEvents) if (!this.#isBeforeJoin(id)) yield* this.#deliver(id, true);
    }
    if (this.#done.has(eventId)) return;
    const missing = event.prevEvents.filter((id) => !this.#done.has(id));
    const given = new Map<EventId, State>();
    for (const id of missing) {
      const state = this.#perhapsWrong(world.stateAfter(id));
      given.set(id, state);
      yield* this.#storeState(state);
    }
    if (missing.length > 0 && !isBackfill) this.#toRejudge.push({ eventId, missing });
    yield* this.#storeAuthChain(event);
    this.made(event);
    yield {
      kind: 'event',
      event,
      given: missing.length > 0 ? given : undefined,
      backfill: isBackfill,
      partial: false,
      policyDenies: random.chance(2),
    };
    if (random.chance(60)) yield* this.#rejudge();
  }

  /** Missing parents came: judge again what was judged by a state on trust. */
  *#rejudge(): Generator<Operation> {
    const ready = this.#toRejudge.filter((one) => one.missing.every((id) => this.#done.has(id)));
    for (const one of ready) {
      this.#toRejudge.splice(this.#toRejudge.indexOf(one), 1);
      yield { kind: 'rejudge', eventId: one.eventId };
    }
  }

  #isBeforeJoin(eventId: EventId): boolean {
    return this.#joined !== undefined && this.#world.ancestors.get(this.#joined)!.has(eventId);
  }

  /** A wrong state, from a bad or confused server. */
  #perhapsWrong(state: State): State {
    const world = this.#world;
    const { random } = world;
    const keys = [...state.keys()].filter((key) => world.events.get(state.get(key)!)!.type !== 'm.room.create');
    if (!random.chance(50) || keys.length === 0) return state;
    const wrong = new Map(state);
    for (let i = random.below(3); i >= 0; i--) {
      const key = random.pick(keys);
      const { type, stateKey } = world.events.get(state.get(key)!)!;
      const others = [...world.events.values()].filter((event) => event.type === type && event.stateKey === stateKey);
      const honest = others.filter((event) => !world.model.rejected.has(event.eventId));
      if (random.chance(50)) wrong.delete(key);
      else if (honest.length > 0) wrong.set(key, random.pick(honest).eventId);
    }
    return wrong;
  }

  *#storeState(state: State): Generator<Operation> {
    for (const id of state.values()) yield* this.store(this.#world.events.get(id)!);
  }

  /** The event as an outlier, after its auth chain. */
  *store(event: RoomEvent): Generator<Operation> {
    if (this.#stored.has(event.eventId)) return;
    yield* this.#storeAuthChain(event);
    this.#stored.add(event.eventId);
    yield { kind: 'outlier', event };
  }

  *#storeAuthChain(event: RoomEvent): Generator<Operation> {
    const { create, rules } = this.#world;
    if (rules.eventAuth.createEventIsRoomId && event !== create) yield* this.store(create);
    for (const id of event.authEvents) yield* this.store(this.#world.events.get(id)!);
  }
}
