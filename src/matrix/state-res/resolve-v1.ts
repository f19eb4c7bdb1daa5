import { sha1Hex } from '../crypto/sha1.ts';
import type { RoomEvent, StateLookup } from '../events/room-event.ts';
import { checkStateDependentAuthRules } from '../event-auth/state-dependent.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import {
  ensureAtHand,
  stateForAuthRulesOfAll,
  type ResolutionSource,
  type ResolutionSteps,
} from './resolution-source.ts';
import { stateMapKey, type StateMapKey } from './state-map.ts';

/**
 * State resolution of room version 1. `conflicts`: for each key the events that the states have for it, two or more
 * different ones; a state without the key adds nothing. The unconflicted state map holds every key that is no conflict,
 * also those that only some states have. Gives the event for each key; the order of the conflicts does not matter.
 *
 * Where the specification is silent this does what the network does: the conflicts of one kind do not see each other's
 * outcome, and when no event passes, that of the least depth is taken.
 * https://spec.matrix.org/v1.19/rooms/v1/#state-resolution
 */
export function* resolveConflictsV1(
  conflicts: Iterable<readonly RoomEvent[]>,
  source: ResolutionSource,
  rules: RoomVersionRules,
): ResolutionSteps<Map<StateMapKey, RoomEvent>> {
  const sorted = [...conflicts].map(sortByDepthAndHash);
  yield* ensureAtHand(source, [], stateForAuthRulesOfAll(sorted.flat(), rules));
  const resolved = new Map<StateMapKey, RoomEvent>();
  const state: StateLookup = (type, stateKey) =>
    resolved.get(stateMapKey(type, stateKey)) ?? source.unconflicted(type, stateKey) ?? undefined;
  const passes: readonly ((first: RoomEvent) => boolean)[] = [
    ({ type, stateKey }) => type === 'm.room.power_levels' && stateKey === '',
    ({ type }) => type === 'm.room.join_rules',
    ({ type }) => type === 'm.room.member',
    () => true,
  ];
  let remaining = sorted;
  for (const [index, isOfPass] of passes.entries()) {
    const ofPass = remaining.filter(([first]) => first !== undefined && isOfPass(first));
    remaining = remaining.filter((events) => !ofPass.includes(events));
    const pick = index < passes.length - 1 ? lastOfAllowedRun : highestAllowed;
    const picked = ofPass.map((events) => pick(events, state, rules));
    for (const event of picked) resolved.set(stateMapKey(event.type, event.stateKey ?? ''), event);
  }
  return resolved;
}

/** "Sort the list by ascending depth then descending sha1(event_id)." */
export function sortByDepthAndHash<Event extends Pick<RoomEvent, 'depth' | 'eventId'>>(
  events: readonly Event[],
): Event[] {
  return events
    .map((event) => ({ event, hash: sha1Hex(event.eventId) }))
    .sort((x, y) => x.event.depth - y.event.depth || (x.hash < y.hash ? 1 : x.hash > y.hash ? -1 : 0))
    .map(({ event }) => event);
}

/**
 * "Add the first event in the list to R. For each subsequent event in the list, check that the event would be allowed by
 * the authorisation rules for a room in state R. If the event would be allowed, then update R with the event and continue …
 * If it would not be allowed, stop."
 */
function lastOfAllowedRun(events: readonly RoomEvent[], state: StateLookup, rules: RoomVersionRules): RoomEvent {
  let last = events[0] as RoomEvent;
  for (const event of events.slice(1)) {
    const before = last;
    const withLast: StateLookup = (type, stateKey) =>
      type === before.type && stateKey === before.stateKey ? before : state(type, stateKey);
    if (!checkStateDependentAuthRules(event, withLast, rules).ok) break;
    last = event;
  }
  return last;
}

/** "Pick the event with the highest depth and lowest sha1(event_id) that passes authentication in R." */
function highestAllowed(events: readonly RoomEvent[], state: StateLookup, rules: RoomVersionRules): RoomEvent {
  const passing = events.findLast((event) => checkStateDependentAuthRules(event, state, rules).ok);
  return passing ?? (events[0] as RoomEvent);
}
