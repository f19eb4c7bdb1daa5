import type { RoomEvent, StateTuple } from '../events/room-event.ts';
import { stateForAuthRules } from '../event-auth/auth-types.ts';
import type { EventId } from '../ids/ids.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { stateMapKey, type StateMapKey } from './state-map.ts';
import type { Steps } from './steps.ts';

/** Where a resolution looks things up. Answers must not change while it runs. */
export interface ResolutionSource {
  /** An event of the full conflicted set or one that such an event reaches by auth events. undefined: not at hand yet. */
  event(eventId: EventId): RoomEvent | undefined;
  /** Whether the event was rejected when it was received. Only asked for events that are at hand. */
  isRejected(eventId: EventId): boolean;
  /** The event of the unconflicted state map; null: the map has none for the key. undefined: not at hand yet. */
  unconflicted(type: string, stateKey: string): RoomEvent | null | undefined;
}

/** What a resolution lacks. */
export interface ResolutionNeed {
  readonly events: readonly EventId[];
  readonly unconflicted: readonly StateTuple[];
}

export type ResolutionSteps<Result> = Steps<ResolutionNeed, Result>;

/** Asks for what is not at hand. Throws when it still is not afterwards. */
export function* ensureAtHand(
  source: ResolutionSource,
  events: Iterable<EventId>,
  unconflicted: Iterable<StateTuple>,
): ResolutionSteps<void> {
  const isMissingEvent = (id: EventId): boolean => source.event(id) === undefined;
  const isMissingKey = ([type, stateKey]: StateTuple): boolean => source.unconflicted(type, stateKey) === undefined;
  const need = { events: [...events].filter(isMissingEvent), unconflicted: [...unconflicted].filter(isMissingKey) };
  if (need.events.length === 0 && need.unconflicted.length === 0) return;
  yield need;
  if (need.events.some(isMissingEvent) || need.unconflicted.some(isMissingKey)) {
    throw new Error('State resolution was resumed without the events that it asked for');
  }
}

/** What the authorisation rules read for the events, each key once. */
export function stateForAuthRulesOfAll(events: Iterable<RoomEvent>, rules: RoomVersionRules): StateTuple[] {
  const keys = new Map<StateMapKey, StateTuple>();
  for (const event of events) {
    for (const tuple of stateForAuthRules(event, rules)) keys.set(stateMapKey(...tuple), tuple);
  }
  return [...keys.values()];
}
