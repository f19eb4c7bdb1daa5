import type { RoomEvent } from '../events/room-event.ts';
import type { EventId } from '../ids/ids.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { authChain, fullConflictedSet } from './auth-chains.ts';
import { separateConflicts, separateConflictsV1 } from './conflicts.ts';
import { isPowerEvent } from './power-ordering.ts';
import type { ResolutionSource } from './resolution-source.ts';
import { resolveConflictsV1 } from './resolve-v1.ts';
import { resolveFullConflictedSet } from './resolve-v2.ts';
import { stateMapKey, type StateMap, type StateMapKey } from './state-map.ts';
import { runSteps, suppliesNothing } from './steps.ts';

export interface KnownEvents {
  /** Every event of the state maps and of their auth chains. */
  readonly events: ReadonlyMap<EventId, RoomEvent>;
  /** Those of them that were rejected when they were received. */
  readonly rejected: ReadonlySet<EventId>;
}

/**
 * The resolution of complete states by the definitions, at the cost of their complete auth chains. Throws when an event of
 * the auth chains is missing. `create` is the room's create event.
 *
 * Where states are large and differ little, compute the full conflicted set from what differs and call
 * resolveFullConflictedSet: the result is the same.
 * https://spec.matrix.org/v1.19/rooms/v12/#state-resolution
 */
export function resolveState(
  stateMaps: readonly StateMap[],
  known: KnownEvents,
  create: RoomEvent,
  rules: RoomVersionRules,
): Map<StateMapKey, EventId> {
  const byV1 = rules.stateResolution.algorithm === 'v1';
  const { unconflicted, conflicted } = (byV1 ? separateConflictsV1 : separateConflicts)(stateMaps);
  const result = new Map<StateMapKey, EventId>();
  if (conflicted.size > 0) {
    const conflicts = [...conflicted.values()];
    const source = sourceOf(unconflicted, known);
    const resolved = byV1
      ? resolveV1(conflicts, source, known, rules)
      : resolveV2(conflicts, stateMaps, source, known, create, rules);
    for (const [key, event] of resolved) result.set(key, event.eventId);
  }
  // Step 5 of the algorithm: the unconflicted state map has the last word.
  for (const [key, eventId] of unconflicted) result.set(key, eventId);
  return result;
}

function resolveV1(
  conflicts: readonly ReadonlySet<EventId>[],
  source: ResolutionSource,
  known: KnownEvents,
  rules: RoomVersionRules,
): Map<StateMapKey, RoomEvent> {
  const events = conflicts.map((ids) => [...ids].map((id) => get(id, known)));
  return runSteps(resolveConflictsV1(events, source, rules), suppliesNothing);
}

function resolveV2(
  conflicts: readonly ReadonlySet<EventId>[],
  stateMaps: readonly StateMap[],
  source: ResolutionSource,
  known: KnownEvents,
  create: RoomEvent,
  rules: RoomVersionRules,
): Map<StateMapKey, RoomEvent> {
  if (rules.stateResolution.algorithm !== 'v2') throw new Error('Not a room version with state resolution v2');
  const authEventsOf = (id: EventId): readonly EventId[] => get(id, known).authEvents;
  const conflictedStateSet = new Set(conflicts.flatMap((ids) => [...ids]));
  const states = stateMaps.map((stateMap) => stateMap.values());
  const full = [...fullConflictedSet(conflictedStateSet, states, authEventsOf, rules.stateResolution)].map((id) =>
    get(id, known),
  );
  const powerEvents = full.filter(isPowerEvent).map((event) => event.eventId);
  const inPowerChains = authChain(powerEvents, authEventsOf);
  return runSteps(resolveFullConflictedSet({ full, inPowerChains, create }, source, rules), suppliesNothing);
}

function sourceOf(unconflicted: StateMap, known: KnownEvents): ResolutionSource {
  return {
    event: (id) => known.events.get(id),
    isRejected: (id) => known.rejected.has(id),
    unconflicted: (type, stateKey) => {
      const id = unconflicted.get(stateMapKey(type, stateKey));
      return id === undefined ? null : get(id, known);
    },
  };
}

function get(id: EventId, known: KnownEvents): RoomEvent {
  const event = known.events.get(id);
  if (event === undefined) throw new Error(`State resolution needs the event ${id}, which is missing`);
  return event;
}
