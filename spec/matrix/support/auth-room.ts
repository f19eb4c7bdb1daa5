import { checkStateDependentAuthRules } from '../../../src/matrix/event-auth/state-dependent.ts';
import { checkStateIndependentAuthRules, type CitedEvent } from '../../../src/matrix/event-auth/state-independent.ts';
import { authTypesForEvent } from '../../../src/matrix/event-auth/auth-types.ts';
import type { AuthResult, RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../../src/matrix/room-versions/rules.ts';
import { eventFromCase, stateOf } from './room-events.ts';

export const alice = '@alice:one.example';
export const bob = '@bob:one.example';
export const carol = '@carol:two.example';
export const dave = '@dave:two.example';
export const eve = '@eve:two.example';
export const mallory = '@mallory:three.example';

/**
 * A room to try events in. Alice created it and has the highest level; Bob (50) and Mallory (0) are joined, Eve is invited,
 * Dave is banned, Carol was never there. State may be replaced before an event is tried.
 */
export class AuthRoom {
  readonly rules: RoomVersionRules;
  readonly create: RoomEvent;
  readonly #state: RoomEvent[] = [];
  #count = 0;

  constructor(rules: RoomVersionRules, createContent: JsonObject = {}) {
    this.rules = rules;
    this.create = this.createEvent(createContent);
    this.#state.push(this.create);
    for (const user of [alice, bob, mallory]) this.member(user, 'join');
    this.member(eve, 'invite', alice);
    this.member(dave, 'ban', alice);
    this.set('m.room.power_levels', '', alice, this.powerLevels());
    this.set('m.room.join_rules', '', alice, { join_rule: 'invite' });
  }

  createEvent(content: JsonObject, fields: JsonObject = {}): RoomEvent {
    const { eventAuth, eventFormat, version } = this.rules;
    return eventFromCase({
      type: 'm.room.create',
      state_key: '',
      sender: alice,
      event_id: '$create:one.example',
      ...(eventFormat.createWithoutRoomId ? {} : { room_id: '!room:one.example' }),
      content: {
        room_version: version,
        ...(eventAuth.creatorFrom === 'content' ? { creator: alice } : {}),
        ...content,
      },
      prev_events: [],
      auth_events: [],
      ...fields,
    });
  }

  /** The room's power levels with changes. Where creators are privileged, Alice is not named. */
  powerLevels(changes: JsonObject = {}): JsonObject {
    const { users = {}, events = {}, ...others } = changes as { users?: JsonObject; events?: JsonObject };
    return {
      ban: 60,
      kick: 40,
      invite: 30,
      redact: 60,
      ...others,
      users: { ...(this.rules.eventAuth.privilegedCreators ? {} : { [alice]: 100 }), [bob]: 50, ...users },
      events: { 'm.room.power_levels': 50, 'example.high': 80, 'example.low': 0, ...events },
    };
  }

  event(
    type: string,
    stateKey: string | undefined,
    sender: string,
    content: JsonObject,
    fields: JsonObject = {},
  ): RoomEvent {
    return eventFromCase({
      type,
      ...(stateKey === undefined ? {} : { state_key: stateKey }),
      sender,
      content,
      event_id: `$${++this.#count}:${sender.slice(sender.indexOf(':') + 1)}`,
      room_id: this.create.roomId,
      prev_events: ['$earlier', '$other'],
      signatures: { [sender.slice(sender.indexOf(':') + 1)]: { 'ed25519:1': 'signature' } },
      ...fields,
    });
  }

  /** Puts an event into the state without asking the rules. */
  set(type: string, stateKey: string, sender: string, content: JsonObject): RoomEvent {
    const event = this.event(type, stateKey, sender, content);
    this.#state.push(event);
    return event;
  }

  member(user: string, membership: string, sender = user): RoomEvent {
    return this.set('m.room.member', user, sender, { membership });
  }

  /** What the event would cite, with changes to that. */
  cited(event: RoomEvent): CitedEvent[] {
    const state = stateOf(this.#state);
    return authTypesForEvent(event, this.rules)
      .map(([type, stateKey]) => state(type, stateKey))
      .filter((found) => found !== undefined)
      .map((found) => ({ event: found, rejected: false }));
  }

  independent(event: RoomEvent, cited: readonly CitedEvent[] = this.cited(event)): AuthResult {
    return checkStateIndependentAuthRules(event, cited, this.rules, { event: this.create, rejected: false });
  }

  /** Both halves of the rules. */
  check(event: RoomEvent): AuthResult {
    const independent = this.independent(event);
    return independent.ok ? checkStateDependentAuthRules(event, stateOf(this.#state), this.rules) : independent;
  }

  try(
    type: string,
    stateKey: string | undefined,
    sender: string,
    content: JsonObject,
    fields: JsonObject = {},
  ): AuthResult {
    return this.check(this.event(type, stateKey, sender, content, fields));
  }

  tryMember(
    user: string,
    membership: string,
    sender = user,
    content: JsonObject = {},
    fields: JsonObject = {},
  ): AuthResult {
    return this.try('m.room.member', user, sender, { membership, ...content }, fields);
  }

  /** A change of the power levels by a user. */
  tryPowerLevels(sender: string, changes: JsonObject): AuthResult {
    return this.try('m.room.power_levels', '', sender, this.powerLevels(changes));
  }
}
