import type { Counter, Metrics } from '../../platform/metrics.ts';

/**
 * What became of an attempt to get the state of a room that was joined before its members were known. `abandoned`: nobody of ours was
 * in the room any more.
 */
export type AttemptOutcome = 'completed' | 'failed' | 'abandoned';
/** What became of an event of such a state. `missing`: no server has given it, or none that is genuine. */
export type StateEventFate = 'stored' | 'refused' | 'missing';

export interface PartialCounters {
  readonly attempts: Counter<'outcome'>;
  readonly events: Counter<'fate'>;
}

export function partialCounters(metrics: Metrics): PartialCounters {
  return {
    attempts: metrics.counter(
      'veche_federation_partial_room_attempts_total',
      'Attempts to get the whole state of rooms that were joined before their members were known, by how they ended',
      ['outcome'],
    ),
    events: metrics.counter(
      'veche_federation_partial_room_events_total',
      'Events of the states of such rooms, by what became of them',
      ['fate'],
    ),
  };
}
