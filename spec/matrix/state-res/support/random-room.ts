import { authTypesForEvent } from '../../../../src/matrix/event-auth/auth-types.ts';
import { checkStateDependentAuthRules } from '../../../../src/matrix/event-auth/state-dependent.ts';
import type { RoomEvent } from '../../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../../../src/matrix/room-versions/rules.ts';
import { stateMapKey, type StateMap, type StateMapKey } from '../../../../src/matrix/state-res/state-map.ts';
import { eventFromCase } from '../../support/room-events.ts';
import { keyOf, resolveBothWays, type RoomOfEvents } from './resolve-both-ways.ts';

const users = ['@a:one', '@b:two', '@c:one', '@d:three', '@e:two', '@f:three'] as const;
const creator = users[0];
type Random = (n: number) => number;
type Draft = readonly [type: string, stateKey: string, sender: string, content: JsonObject];

/** A room with its real rules in which several servers act on views of their own, and the state that each ends with. */
export interface RandomConflict {
  readonly room: RoomOfEvents;
  readonly states: readonly StateMap[];
}

export function randomConflict(random: Random, rules: RoomVersionRules): RandomConflict {
  const maker = new RoomMaker(random, rules);
  const branches = Array.from({ length: 2 + random(3) }, () => new Map(maker.begun));
  const steps = 10 + random(50);
  for (let step = 0; step < steps; step++) {
    const index = random(branches.length);
    const branch = branches[index] as Map<StateMapKey, EventId>;
    maker.act(branch);
    if (random(100) >= 8) continue;
    const other = branches[random(branches.length)] as Map<StateMapKey, EventId>;
    branches[index] = new Map(resolveBothWays([branch, other], maker.room));
  }
  return { room: maker.room, states: branches };
}

class RoomMaker {
  readonly room: RoomOfEvents;
  /** The state when the servers part. */
  readonly begun: StateMap;
  readonly #random: Random;
  readonly #events: Map<EventId, RoomEvent>;
  readonly #rejected = new Set<EventId>();
  #time = 1000;

  constructor(random: Random, rules: RoomVersionRules) {
    this.#random = random;
    const create = eventFromCase({
      type: 'm.room.create',
      state_key: '',
      sender: creator,
      event_id: '$create:one',
      ...(rules.eventFormat.createWithoutRoomId ? {} : { room_id: '!room:one' }),
      content: rules.eventAuth.creatorFrom === 'content' ? { creator } : {},
    });
    this.#events = new Map([[create.eventId, create]]);
    this.room = { events: this.#events, rejected: this.#rejected, create, rules };
    const state = new Map([[keyOf(create), create.eventId]]);
    this.#apply(state, ['m.room.member', creator, creator, { membership: 'join' }]);
    if (random(10) > 0) this.#apply(state, ['m.room.power_levels', '', creator, this.#powerLevels()]);
    this.#apply(state, ['m.room.join_rules', '', creator, { join_rule: random(3) > 0 ? 'public' : 'invite' }]);
    for (const user of users.slice(1, 4)) this.#apply(state, ['m.room.member', user, user, { membership: 'join' }]);
    this.begun = state;
  }

  /** One server's users try things until one is allowed. */
  act(state: Map<StateMapKey, EventId>): void {
    for (let attempt = 0; attempt < 8; attempt++) if (this.#apply(state, this.#draft(state))) return;
  }

  /** Makes the event; applies it when the state allows it, and now and then keeps it as rejected otherwise. */
  #apply(state: Map<StateMapKey, EventId>, [type, stateKey, sender, content]: Draft): boolean {
    const { rules, create } = this.room;
    const event = eventFromCase({
      type,
      state_key: stateKey,
      sender,
      content,
      event_id: `$${this.#random(1e9).toString(36)}-${this.#events.size}:${sender.slice(3)}`,
      room_id: create.roomId,
      depth: this.#events.size - this.#random(4),
      origin_server_ts: (this.#time += 10) - (this.#random(6) === 0 ? this.#random(300) : 0),
      prev_events: this.#events.size === 1 ? [create.eventId] : ['$a', '$b'],
      auth_events: this.#authEvents(state, type, stateKey, sender, content),
    });
    const lookup = (wanted: string, key: string): RoomEvent | undefined => {
      const id = state.get(stateMapKey(wanted, key));
      return id === undefined ? undefined : this.#events.get(id);
    };
    const { ok } = checkStateDependentAuthRules(event, lookup, rules);
    if (!ok && this.#random(4) > 0) return false;
    this.#events.set(event.eventId, event);
    if (ok) state.set(keyOf(event), event.eventId);
    // A rejected event may still stand among the auth events of events that were accepted before anyone knew.
    if (!ok || this.#random(40) === 0) this.#rejected.add(event.eventId);
    return ok;
  }

  #authEvents(state: StateMap, type: string, stateKey: string, sender: string, content: JsonObject): EventId[] {
    const subject = eventFromCase({ type, state_key: stateKey, sender, content });
    const ids: EventId[] = [];
    for (const tuple of authTypesForEvent(subject, this.room.rules)) {
      const key = stateMapKey(...tuple);
      const id = this.#random(100) < 5 ? this.#anyOf(key) : state.get(key);
      if (id !== undefined) ids.push(id);
    }
    return ids;
  }

  #anyOf(key: StateMapKey): EventId | undefined {
    const ofKey = [...this.#events.values()].filter((event) => keyOf(event) === key);
    return ofKey[this.#random(Math.max(1, ofKey.length))]?.eventId;
  }

  #draft(state: StateMap): Draft {
    const random = this.#random;
    const sender = users[random(users.length)] ?? creator;
    const target = users[random(users.length)] ?? creator;
    const kind = random(100);
    if (kind < 25) return ['m.room.topic', random(2) === 0 ? '' : `${random(3)}`, sender, { topic: random(1000) }];
    if (kind < 40) return ['m.room.member', sender, sender, { membership: 'join', displayname: `${random(9)}` }];
    if (kind < 48) return ['m.room.member', sender, sender, { membership: 'leave' }];
    if (kind < 56) return ['m.room.member', target, sender, { membership: 'invite' }];
    if (kind < 70) return ['m.room.member', target, sender, { membership: random(2) === 0 ? 'ban' : 'leave' }];
    if (kind < 76) return ['m.room.join_rules', '', sender, { join_rule: random(3) > 0 ? 'public' : 'invite' }];
    if (kind < 80) return ['m.room.power_levels', 'other', sender, {}];
    const id = state.get(stateMapKey('m.room.power_levels', ''));
    const current = id === undefined ? undefined : this.#events.get(id);
    return ['m.room.power_levels', '', sender, this.#powerLevels(current)];
  }

  #powerLevels(current?: RoomEvent): JsonObject {
    const random = this.#random;
    const { privilegedCreators } = this.room.rules.eventAuth;
    const named = users.slice(privilegedCreators ? 1 : 0);
    const users0 = { ...(privilegedCreators ? {} : { [creator]: 100 }), [users[1]]: 100, [users[2]]: 50 };
    const before = (current?.content['users'] ?? users0) as JsonObject;
    const changed = named[random(named.length)] ?? users[1];
    return {
      users: current === undefined ? before : { ...before, [changed]: [0, 50, 50, 100][random(4)] },
      events: { 'm.room.topic': [0, 50][random(2)], 'm.room.power_levels': 50 },
      ban: 50,
      kick: [0, 50][random(2)],
      invite: [0, 50][random(2)],
    };
  }
}
