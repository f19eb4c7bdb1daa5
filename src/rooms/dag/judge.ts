/**
 * The authorisation checks on receipt of an event.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
import { stateForAuthRules } from '../../matrix/event-auth/auth-types.ts';
import { checkStateDependentAuthRules } from '../../matrix/event-auth/state-dependent.ts';
import { type CitedEvent, checkStateIndependentAuthRules } from '../../matrix/event-auth/state-independent.ts';
import type { AuthResult, RoomEvent, StateLookup, StateTuple } from '../../matrix/events/room-event.ts';
import { isRejected } from './event-places.ts';
import type { HotRoom } from './hot-room.ts';
import { stateMapKey } from '../../matrix/state-res/state-map.ts';

/** The keys that the rules read for an event. */
export function tuplesForEvent(room: HotRoom, event: RoomEvent): StateTuple[] {
  return stateForAuthRules(event, room.rules);
}

/** Check 4: by its own auth events, none of which may have been rejected. */
export function judgeByAuthEvents(room: HotRoom, event: RoomEvent, cited: readonly CitedEvent[]): AuthResult {
  const independent = judgeReferences(room, event, cited);
  if (!independent.ok) return independent;
  const state = new Map(cited.map(({ event }) => [stateMapKey(event.type, event.stateKey ?? ''), event]));
  return judgeByState(room, event, (type, stateKey) => state.get(stateMapKey(type, stateKey)));
}

/**
 * Check 5 where the state before the event is known in part only (R11): of what it lacks the event's own auth events say what it is.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/3902
 */
export function judgeByPartialState(
  room: HotRoom,
  event: RoomEvent,
  cited: readonly CitedEvent[],
  state: StateLookup,
): AuthResult {
  const claimed = new Map(cited.map((one) => [stateMapKey(one.event.type, one.event.stateKey ?? ''), one.event]));
  return judgeByState(room, event, (type, key) => state(type, key) ?? claimed.get(stateMapKey(type, key)));
}

/** The part of check 4 that asks no state. */
export function judgeReferences(room: HotRoom, event: RoomEvent, cited: readonly CitedEvent[]): AuthResult {
  const create = room.create && { event: room.create.event, rejected: isRejected(room.create.place) };
  return checkStateIndependentAuthRules(event, cited, room.rules, create);
}

/** Checks 5 and 6: by a state of the room. Where the room id names the create event, every state has that one. */
export function judgeByState(room: HotRoom, event: RoomEvent, state: StateLookup): AuthResult {
  const { create } = room;
  if (create === undefined) return checkStateDependentAuthRules(event, state, room.rules);
  const withCreate: StateLookup = (type, stateKey) =>
    type === 'm.room.create' && stateKey === '' ? create.event : state(type, stateKey);
  return checkStateDependentAuthRules(event, withCreate, room.rules);
}
