import { expect } from 'vitest';
import type { RoomEvent } from '../../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../../src/matrix/ids/ids.ts';
import type { RoomVersionRules } from '../../../../src/matrix/room-versions/rules.ts';
import { separateConflicts, separateConflictsV1 } from '../../../../src/matrix/state-res/conflicts.ts';
import {
  computeAuthChainsWithin,
  computeFullConflictedSet,
} from '../../../../src/matrix/state-res/full-conflicted-set.ts';
import { isPowerEvent } from '../../../../src/matrix/state-res/power-ordering.ts';
import type { ResolutionNeed, ResolutionSource } from '../../../../src/matrix/state-res/resolution-source.ts';
import { resolveState } from '../../../../src/matrix/state-res/resolve-state.ts';
import { resolveConflictsV1 } from '../../../../src/matrix/state-res/resolve-v1.ts';
import { resolveFullConflictedSet } from '../../../../src/matrix/state-res/resolve-v2.ts';
import { stateMapKey, type StateMap, type StateMapKey } from '../../../../src/matrix/state-res/state-map.ts';
import { runSteps } from '../../../../src/matrix/state-res/steps.ts';
import { MemoryAuthDag, MemoryUnconflictedKeys } from './memory-auth-dag.ts';

export interface RoomOfEvents {
  /** Auth events come before the events that cite them. */
  readonly events: ReadonlyMap<EventId, RoomEvent>;
  readonly rejected: ReadonlySet<EventId>;
  readonly create: RoomEvent;
  readonly rules: RoomVersionRules;
}

/**
 * Resolves by the definitions over complete states, and as a server does: from what differs, fetching what is needed when
 * it is needed. Fails when the results differ.
 */
export function resolveBothWays(stateMaps: readonly StateMap[], room: RoomOfEvents): Map<StateMapKey, EventId> {
  const byDefinition = resolveState(stateMaps, room, room.create, room.rules);
  const fromDifference = resolveFromDifference(stateMaps, room);
  expect(sorted(fromDifference)).toEqual(sorted(byDefinition));
  return byDefinition;
}

export function keyOf(event: RoomEvent): StateMapKey {
  return stateMapKey(event.type, event.stateKey ?? '');
}

/** The state map that consists of the events. */
export function stateMapOf(events: Iterable<RoomEvent>): StateMap {
  return new Map([...events].map((event) => [keyOf(event), event.eventId]));
}

function resolveFromDifference(stateMaps: readonly StateMap[], room: RoomOfEvents): Map<StateMapKey, EventId> {
  const byV1 = room.rules.stateResolution.algorithm === 'v1';
  const { unconflicted, conflicted } = (byV1 ? separateConflictsV1 : separateConflicts)(stateMaps);
  const result = new Map<StateMapKey, EventId>();
  if (conflicted.size > 0) {
    const source = new LazySource(unconflicted, room);
    const resolved = byV1
      ? runSteps(
          resolveConflictsV1(
            [...conflicted.values()].map((ids) => [...ids].map((id) => source.known(id))),
            source,
            room.rules,
          ),
          (need) => source.supply(need),
        )
      : resolveV2(stateMaps, conflicted, unconflicted, source, room);
    for (const [key, event] of resolved) result.set(key, event.eventId);
  }
  for (const [key, id] of unconflicted) result.set(key, id);
  return result;
}

function resolveV2(
  stateMaps: readonly StateMap[],
  conflicted: ReadonlyMap<StateMapKey, unknown>,
  unconflicted: StateMap,
  source: LazySource,
  { events, create, rules }: RoomOfEvents,
): Map<StateMapKey, RoomEvent> {
  if (rules.stateResolution.algorithm !== 'v2') throw new Error('Not v2');
  const ids = [...events.keys()];
  const nids = new Map(ids.map((id, nid) => [id, nid]));
  const nidOf = (id: EventId): number => nids.get(id) ?? -1;
  const keys = new Map<StateMapKey, number>();
  const keyNumber = (key: StateMapKey): number => {
    const known = keys.get(key);
    if (known === undefined) keys.set(key, keys.size);
    return known ?? keys.size - 1;
  };
  const dag = new MemoryAuthDag({ lazy: true });
  for (const event of events.values())
    dag.add(nidOf(event.eventId), keyNumber(keyOf(event)), event.authEvents.map(nidOf));
  const lookup = new MemoryUnconflictedKeys(
    new Map([...unconflicted].map(([key, id]) => [keyNumber(key), nidOf(id)])),
    { lazy: true },
  );
  const states = stateMaps.map(
    (map) => new Set([...map].filter(([key]) => conflicted.has(key)).map(([, id]) => nidOf(id))),
  );
  const fullNids = runSteps(computeFullConflictedSet(states, dag, lookup, rules.stateResolution), (need) =>
    lookup.supply(need, dag),
  );
  const idOf = (nid: number): EventId => ids[nid] as EventId;
  const full = [...fullNids].map((nid) => source.known(idOf(nid)));
  const powerEvents = full.filter(isPowerEvent).map((event) => nidOf(event.eventId));
  const inPowerChains = runSteps(computeAuthChainsWithin(powerEvents, fullNids, dag), (need) =>
    lookup.supply(need, dag),
  );
  return runSteps(
    resolveFullConflictedSet({ full, inPowerChains: [...inPowerChains].map(idOf), create }, source, rules),
    (need) => source.supply(need),
  );
}

/** Knows nothing but what was asked for. */
class LazySource implements ResolutionSource {
  readonly #room: RoomOfEvents;
  readonly #unconflicted: StateMap;
  readonly #events = new Set<EventId>();
  readonly #keys = new Set<StateMapKey>();

  constructor(unconflicted: StateMap, room: RoomOfEvents) {
    this.#unconflicted = unconflicted;
    this.#room = room;
  }

  /** An event that the caller of the resolution has anyway. */
  known(id: EventId): RoomEvent {
    const event = this.#room.events.get(id);
    if (event === undefined) throw new Error(`There is no event ${id}`);
    return event;
  }
  supply(need: ResolutionNeed): void {
    for (const id of need.events) this.#events.add(id);
    for (const tuple of need.unconflicted) this.#keys.add(stateMapKey(...tuple));
  }
  event(id: EventId): RoomEvent | undefined {
    return this.#events.has(id) ? this.known(id) : undefined;
  }
  isRejected(id: EventId): boolean {
    if (!this.#events.has(id)) throw new Error(`The event ${id} was not asked for`);
    return this.#room.rejected.has(id);
  }
  unconflicted(type: string, stateKey: string): RoomEvent | null | undefined {
    const key = stateMapKey(type, stateKey);
    if (!this.#keys.has(key)) return undefined;
    const id = this.#unconflicted.get(key);
    return id === undefined ? null : this.known(id);
  }
}

function sorted(state: StateMap): readonly (readonly [string, string])[] {
  return [...state].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
