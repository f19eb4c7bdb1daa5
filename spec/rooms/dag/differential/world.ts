/**
 * A room as it really happens: several servers write at the same time, each by its own view. A naive room that sees every
 * event in the order of creation tells what the state is.
 */
import { authTypesForEvent } from '../../../../src/matrix/event-auth/auth-types.ts';
import type { RoomEvent } from '../../../../src/matrix/events/room-event.ts';
import type { EventId, RoomId } from '../../../../src/matrix/ids/ids.ts';
import { roomIdOfCreateEvent } from '../../../../src/matrix/ids/room-id.ts';
import { isJsonObject, type JsonObject } from '../../../../src/matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../../../src/matrix/room-versions/rules.ts';
import { stateMapKey } from '../../../../src/matrix/state-res/state-map.ts';
import { makeEvent } from '../support/test-room.ts';
import { NaiveRoom, type State } from './naive-room.ts';
import type { Seeded } from './seeded.ts';

interface Draft {
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
}

export class World {
  readonly random: Seeded;
  readonly rules: RoomVersionRules;
  readonly events = new Map<EventId, RoomEvent>();
  readonly bodies = new Map<EventId, string>();
  readonly model: NaiveRoom;
  readonly roomId: RoomId;
  readonly create: RoomEvent;
  readonly ancestors = new Map<EventId, ReadonlySet<EventId>>();
  readonly users: string[] = [];
  /** How little goes wrong in this room. */
  readonly calm: boolean;
  readonly #heads: Set<EventId>[] = [];
  readonly #chaosPercent: number;
  readonly #gossipPercent: number;
  readonly #name: string;
  #clock = 1000;

  /** `name` makes ids differ from those of other rooms. */
  constructor(random: Seeded, rules: RoomVersionRules, name: string) {
    this.random = random;
    this.#name = name;
    this.rules = rules;
    const servers = 2 + random.below(3);
    this.calm = random.chance(35);
    this.#chaosPercent = this.calm ? 1 : random.pick([1, 8, 20]);
    this.#gossipPercent = this.calm ? 100 : random.pick([45, 75, 95]);
    for (let i = 4 + random.below(6); i > 0; i--)
      this.users.push(`@u${this.users.length}:s${this.users.length % servers}`);
    for (let i = 0; i < servers; i++) this.#heads.push(new Set());
    const createId = this.#eventId(0);
    this.roomId = rules.roomIdFormat === 'opaque' ? (`!room${name}:s0` as RoomId) : roomIdOfCreateEvent(createId);
    this.create = this.#makeCreate(createId);
    this.model = new NaiveRoom(this.events, this.create, rules);
    this.model.receive(this.create);
    this.#found();
  }

  get newest(): EventId {
    return [...this.events.keys()].at(-1)!;
  }

  /** Somebody does something; gives the event's id. */
  step(): EventId {
    const { random } = this;
    const server = random.below(this.#heads.length);
    const prevEvents = this.#choosePrevEvents(server);
    const before = this.model.stateBefore(prevEvents);
    const draft = this.#chooseDraft(server, prevEvents, before);
    const event = this.make(draft, prevEvents, random.chance(this.calm ? 1 : 4));
    this.spread(event, server);
    return event.eventId;
  }

  /** With the auth events of the state before it; `staleAuth`: some of them may be older ones. */
  make(draft: Draft, prevEvents: readonly EventId[], staleAuth = false): RoomEvent {
    const before = this.model.stateBefore(prevEvents);
    const authEvents: EventId[] = [];
    for (const [type, stateKey] of authTypesForEvent(subject(draft), this.rules)) {
      let id = before.get(stateMapKey(type, stateKey));
      if (staleAuth && this.random.chance(50)) {
        const older = [...this.events.values()].filter((event) => event.type === type && event.stateKey === stateKey);
        if (older.length > 0) id = this.random.pick(older).eventId;
      }
      if (id !== undefined) authEvents.push(id);
    }
    return this.add(draft, prevEvents, authEvents);
  }

  add(draft: Draft, prevEvents: readonly EventId[], authEvents: readonly EventId[]): RoomEvent {
    const { random } = this;
    const depth = 1 + Math.max(0, ...prevEvents.map((id) => this.events.get(id)!.depth));
    const jitter = random.chance(15) ? random.below(400) - 300 : 0;
    const event = this.#keep(
      makeEvent(
        {
          ...draft,
          eventId: this.#eventId(Number(draft.sender.slice(draft.sender.indexOf(':s') + 2))),
          roomId: this.roomId,
          originServerTs: Math.max(0, this.#clock++ * 10 + jitter),
          depth,
          prevEvents,
          authEvents,
        },
        this.rules,
      ),
    );
    this.model.receive(event);
    return event;
  }

  /** The servers hear of it; rejected events mostly stay with those who made them. */
  spread(event: RoomEvent, from: number | undefined): void {
    const { random } = this;
    const isAccepted = !this.model.rejected.has(event.eventId);
    for (const [server, heads] of this.#heads.entries()) {
      const hears = server === from ? isAccepted || random.chance(30) : random.chance(this.#gossipPercent);
      if (!hears || (!isAccepted && server !== from && random.chance(70))) continue;
      for (const id of this.ancestors.get(event.eventId)!) heads.delete(id);
      if (![...heads].some((id) => this.ancestors.get(id)!.has(event.eventId))) heads.add(event.eventId);
    }
  }

  stateAfter(eventId: EventId): State {
    return this.model.records.get(eventId)!.after;
  }

  #makeCreate(eventId: EventId): RoomEvent {
    const creator = this.users[0]!;
    return this.#keep(
      makeEvent(
        {
          eventId,
          roomId: this.rules.roomIdFormat === 'opaque' ? this.roomId : undefined,
          type: 'm.room.create',
          stateKey: '',
          sender: creator,
          content: {
            room_version: this.rules.version,
            ...(this.rules.eventAuth.creatorFrom === 'content' ? { creator } : {}),
          },
          originServerTs: 1,
          depth: 1,
          prevEvents: [],
          authEvents: [],
        },
        this.rules,
      ),
    );
  }

  #found(): void {
    const { random } = this;
    const creator = this.users[0]!;
    const next = (type: string, stateKey: string, content: JsonObject) =>
      this.make({ type, stateKey, sender: creator, content }, [this.newest]);
    next('m.room.member', creator, { membership: 'join' });
    if (!random.chance(10)) next('m.room.power_levels', '', this.#powerLevels());
    if (!random.chance(10)) next('m.room.join_rules', '', { join_rule: random.chance(70) ? 'public' : 'invite' });
    for (const heads of this.#heads) heads.add(this.newest);
  }

  #keep({ event, body }: { readonly event: RoomEvent; readonly body: string }): RoomEvent {
    this.events.set(event.eventId, event);
    this.bodies.set(event.eventId, body);
    const ancestors = new Set(event.prevEvents);
    for (const id of event.prevEvents) for (const older of this.ancestors.get(id)!) ancestors.add(older);
    this.ancestors.set(event.eventId, ancestors);
    return event;
  }

  #eventId(server: number): EventId {
    const text = `${this.random.next().toString(36)}_${this.#name}_${this.events.size}`;
    return (this.rules.eventFormat.eventIdField ? `$${text}:s${server}` : `$${text}`) as EventId;
  }

  #choosePrevEvents(server: number): EventId[] {
    const { random } = this;
    const heads = [...this.#heads[server]!];
    const usual = heads.slice(0, 4);
    if (!random.chance(this.#chaosPercent)) return usual;
    // a subset, an old event, redundant or rejected parents
    const known = new Set(heads);
    for (const id of heads) for (const older of this.ancestors.get(id)!) known.add(older);
    switch (random.below(3)) {
      case 0:
        return [random.pick(usual)];
      case 1:
        return [random.pick([...known])];
      default:
        return [...new Set([...usual, random.pick([...known])])];
    }
  }

  #chooseDraft(server: number, prevEvents: readonly EventId[], before: State): Draft {
    let draft = this.randomDraft(server, before);
    if (this.random.chance(this.calm ? 1 : 6)) return draft;
    for (let tries = 0; tries < 12; tries++) {
      if (this.model.allowed(this.#probe(draft, prevEvents), before)) return draft;
      draft = this.randomDraft(server, before);
    }
    return { type: 'm.room.message', stateKey: undefined, sender: this.#joinedUser(before), content: { body: 'x' } };
  }

  #probe(draft: Draft, prevEvents: readonly EventId[]): RoomEvent {
    const fields = { ...draft, eventId: '$probe' as EventId, roomId: this.roomId, originServerTs: 0, depth: 1 };
    return makeEvent({ ...fields, prevEvents, authEvents: [] }, this.rules).event;
  }

  #joinedUser(state: State): string {
    return this.users.find((user) => this.#membership(user, state) === 'join') ?? this.users[0]!;
  }

  #membership(user: string, state: State): unknown {
    const id = state.get(stateMapKey('m.room.member', user));
    return id === undefined ? undefined : this.events.get(id)!.content['membership'];
  }

  /** Something that a user of the server may want to do. */
  randomDraft(server: number, state: State): Draft {
    const { random, users } = this;
    const servers = this.#heads.length;
    const own = users.filter((_user, index) => index % servers === server);
    const sender = own.length > 0 ? random.pick(own) : users[0]!;
    const other = random.pick(users);
    const member = (stateKey: string, membership: string, extra: JsonObject = {}): Draft => {
      return { type: 'm.room.member', stateKey, sender, content: { membership, ...extra } };
    };
    const kind = random.below(100);
    if (kind < 30) return { type: 'm.room.message', stateKey: undefined, sender, content: { body: 'x' } };
    if (kind < 40) return { type: 'm.room.topic', stateKey: '', sender, content: { topic: `${random.next()}` } };
    if (kind < 46) {
      return { type: 'example.note', stateKey: `k${random.below(3)}`, sender, content: { text: `${random.next()}` } };
    }
    if (kind < 58) return member(sender, 'join', { displayname: `${random.below(9)}` });
    if (kind < 60) return this.#restrictedJoin(sender, state);
    if (kind < 66 && (sender !== users[0] || random.chance(5))) return member(sender, 'leave');
    if (kind < 72) return member(other, 'invite');
    if (kind < 74) return member(sender, 'knock');
    if (kind < 84) return member(other, random.pick(['ban', 'leave']));
    if (kind < 96) return this.#levelsDraft(sender, state);
    return { type: 'm.room.join_rules', stateKey: '', sender, content: this.#joinRules() };
  }

  #restrictedJoin(sender: string, state: State): Draft {
    const authoriser = this.#joinedUser(state);
    const content = { membership: 'join', join_authorised_via_users_server: authoriser };
    return { type: 'm.room.member', stateKey: sender, sender, content };
  }

  #joinRules(): JsonObject {
    const rule = this.random.pick(['public', 'public', 'public', 'invite', 'invite', 'knock', 'restricted']);
    return rule === 'restricted' ? { join_rule: rule, allow: [] } : { join_rule: rule };
  }

  #levelsDraft(sender: string, state: State): Draft {
    const { random } = this;
    const draft = (content: JsonObject): Draft => ({ type: 'm.room.power_levels', stateKey: '', sender, content });
    const id = state.get(stateMapKey('m.room.power_levels', ''));
    if (id === undefined || !random.chance(85)) return draft(this.#powerLevels());
    // one thing changes
    const { users = {}, events = {}, ...others } = this.events.get(id)!.content;
    if (!isJsonObject(users) || !isJsonObject(events)) return draft(this.#powerLevels());
    const named = this.rules.eventAuth.privilegedCreators ? this.users.slice(1) : this.users;
    if (random.chance(70))
      return draft({ ...others, events, users: { ...users, [random.pick(named)]: random.pick([0, 50, 50, 100]) } });
    return draft({ ...others, users, events: { ...events, 'm.room.topic': random.pick([0, 50]) } });
  }

  #powerLevels(): JsonObject {
    const { random } = this;
    const users: Record<string, number> = {};
    for (const [index, user] of this.users.entries()) {
      if (this.rules.eventAuth.privilegedCreators && index === 0) continue;
      if (index === 0) users[user] = 100;
      else if (random.chance(40)) users[user] = random.pick([0, 50, 50, 100]);
    }
    return {
      users,
      users_default: random.pick([0, 0, 0, 10]),
      state_default: random.pick([50, 50, 0]),
      ban: random.pick([50, 50, 0]),
      kick: 50,
      invite: random.pick([0, 50]),
      events: { 'm.room.topic': random.pick([0, 50]), 'm.room.power_levels': random.pick([50, 100]) },
    };
  }
}

function subject(draft: Draft): Parameters<typeof authTypesForEvent>[0] {
  return { ...draft, sender: draft.sender as RoomEvent['sender'] };
}
