import type { EventId } from '../ids/ids.ts';
import type { StateMap, StateMapKey } from './state-map.ts';

export interface Conflicts {
  readonly unconflicted: ReadonlyMap<StateMapKey, EventId>;
  /** The conflicted state set by key: every event that some state has for a key that is not unconflicted. */
  readonly conflicted: ReadonlyMap<StateMapKey, ReadonlySet<EventId>>;
}

/**
 * "If a given key K is present in every S_i with the same value V in each state map, then the pair (K, V) belongs to the
 * unconflicted state map. Otherwise, V belongs to the conflicted state set."
 * https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function separateConflicts(stateMaps: readonly StateMap[]): Conflicts {
  const values = valuesByKey(stateMaps);
  const unconflicted = new Map<StateMapKey, EventId>();
  const conflicted = new Map<StateMapKey, ReadonlySet<EventId>>();
  for (const [key, { events, states }] of values) {
    const [only] = events;
    if (only !== undefined && events.size === 1 && states === stateMaps.length) unconflicted.set(key, only);
    else conflicted.set(key, events);
  }
  return { unconflicted, conflicted };
}

/**
 * Room version 1: "A conflict occurs between states where those states have different event_ids for the same (event_type,
 * state_key)", so a key that some states lack is no conflict.
 * https://spec.matrix.org/v1.19/rooms/v1/#state-resolution
 */
export function separateConflictsV1(stateMaps: readonly StateMap[]): Conflicts {
  const unconflicted = new Map<StateMapKey, EventId>();
  const conflicted = new Map<StateMapKey, ReadonlySet<EventId>>();
  for (const [key, { events }] of valuesByKey(stateMaps)) {
    const [only] = events;
    if (only !== undefined && events.size === 1) unconflicted.set(key, only);
    else conflicted.set(key, events);
  }
  return { unconflicted, conflicted };
}

function valuesByKey(
  stateMaps: readonly StateMap[],
): ReadonlyMap<StateMapKey, { readonly events: ReadonlySet<EventId>; readonly states: number }> {
  const values = new Map<StateMapKey, { events: Set<EventId>; states: number }>();
  for (const stateMap of stateMaps) {
    for (const [key, eventId] of stateMap) {
      const value = values.get(key);
      if (value === undefined) values.set(key, { events: new Set([eventId]), states: 1 });
      else {
        value.events.add(eventId);
        value.states++;
      }
    }
  }
  return values;
}
