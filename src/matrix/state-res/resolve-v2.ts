import type { RoomEvent, StateTuple } from '../events/room-event.ts';
import type { EventId } from '../ids/ids.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { iterativeAuthChecks } from './iterative-auth-checks.ts';
import { mainlineOrdering } from './mainline-ordering.ts';
import { isPowerEvent, reverseTopologicalPowerOrdering } from './power-ordering.ts';
import {
  ensureAtHand,
  stateForAuthRulesOfAll,
  type ResolutionSource,
  type ResolutionSteps,
} from './resolution-source.ts';
import { stateMapKey, type StateMapKey } from './state-map.ts';

export interface FullConflictedEvents {
  /** The full conflicted set. */
  readonly full: readonly RoomEvent[];
  /** Those of the full conflicted set that are in the auth chain of one of its power events. More ids do no harm. */
  readonly inPowerChains: Iterable<EventId>;
  /** The room's create event. */
  readonly create: RoomEvent;
}

/**
 * State resolution v2 and v2.1, steps 1 to 4: what the iterative auth checks set. Step 5 is the caller's: "replacing any
 * event with the event with the same key from the unconflicted state map". A key that no state had may be among the result.
 *
 * Asks for the auth events of the full conflicted set, for the unconflicted events that the authorisation rules read, and
 * for power levels events down the mainline.
 * https://spec.matrix.org/v1.19/rooms/v12/#algorithm
 */
export function* resolveFullConflictedSet(
  { full, inPowerChains, create }: FullConflictedEvents,
  source: ResolutionSource,
  rules: RoomVersionRules,
): ResolutionSteps<Map<StateMapKey, RoomEvent>> {
  const { startFromEmptyState } = v2Rules(rules);
  const keys = startFromEmptyState ? [] : [powerLevelsTuple, ...stateForAuthRulesOfAll(full, rules)];
  yield* ensureAtHand(source, new Set(full.flatMap((event) => event.authEvents)), keys);
  const initial = (type: string, stateKey: string): RoomEvent | undefined =>
    startFromEmptyState ? undefined : (source.unconflicted(type, stateKey) ?? undefined);
  const resolved = new Map<StateMapKey, RoomEvent>();

  const x = powerEventsAndTheirChains(full, new Set(inPowerChains));
  const find = (id: EventId): RoomEvent | undefined => source.event(id);
  const powerOrder = reverseTopologicalPowerOrdering(x, find, rules, create);
  iterativeAuthChecks(powerOrder, initial, resolved, source, rules, create);

  const remaining = full.filter((event) => !x.has(event));
  const powerLevels = resolved.get(stateMapKey(...powerLevelsTuple)) ?? initial(...powerLevelsTuple);
  const mainlineOrder = yield* mainlineOrdering(remaining, powerLevels, source);
  iterativeAuthChecks(mainlineOrder, initial, resolved, source, rules, create);
  return resolved;
}

const powerLevelsTuple: StateTuple = ['m.room.power_levels', ''];

/**
 * Step 1: "Select the set X of all power events that appear in the full conflicted set. For each such power event P,
 * enlarge X by adding the events in the auth chain of P which also belong to the full conflicted set."
 */
function powerEventsAndTheirChains(full: readonly RoomEvent[], inPowerChains: ReadonlySet<EventId>): Set<RoomEvent> {
  return new Set(full.filter((event) => isPowerEvent(event) || inPowerChains.has(event.eventId)));
}

function v2Rules({ version, stateResolution }: RoomVersionRules): { readonly startFromEmptyState: boolean } {
  if (stateResolution.algorithm === 'v2') return stateResolution;
  throw new Error(`Room version ${version} resolves state by ${stateResolution.algorithm}`);
}
