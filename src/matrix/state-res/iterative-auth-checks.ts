import type { RoomEvent, StateLookup } from '../events/room-event.ts';
import { checkStateDependentAuthRules } from '../event-auth/state-dependent.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { ResolutionSource } from './resolution-source.ts';
import { stateMapKey, type StateMapKey } from './state-map.ts';

/**
 * "Takes as input an initial room state and a sorted list of state events, and constructs a new room state by iterating
 * through the event list and applying the state event to the room state if the state event is allowed by the authorisation
 * rules. … If a (event_type, state_key) key that is required for checking the authorisation rules is not present in the
 * state, then the appropriate state event from the event's auth_events is used if the auth event is not rejected."
 *
 * `initial` is the room state to start from and is not changed; `resolved` is what came on top of it, and grows.
 * `create`: for room versions whose events do not cite it.
 * https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function iterativeAuthChecks(
  events: readonly RoomEvent[],
  initial: StateLookup,
  resolved: Map<StateMapKey, RoomEvent>,
  source: ResolutionSource,
  rules: RoomVersionRules,
  create?: RoomEvent,
): void {
  for (const event of events) {
    const state: StateLookup = (type, stateKey) =>
      resolved.get(stateMapKey(type, stateKey)) ??
      initial(type, stateKey) ??
      fromAuthEvents(event, type, stateKey, source) ??
      (type === 'm.room.create' && stateKey === '' && !rules.eventFormat.createInAuthEvents ? create : undefined);
    if (event.stateKey === undefined || !checkStateDependentAuthRules(event, state, rules).ok) continue;
    resolved.set(stateMapKey(event.type, event.stateKey), event);
  }
}

function fromAuthEvents(
  event: RoomEvent,
  type: string,
  stateKey: string,
  source: ResolutionSource,
): RoomEvent | undefined {
  for (const id of event.authEvents) {
    const authEvent = source.event(id);
    if (authEvent?.type === type && authEvent.stateKey === stateKey && !source.isRejected(id)) return authEvent;
  }
  return undefined;
}
