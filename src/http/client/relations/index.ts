/** Relations between events, and threads. */
import { getRelatingEvents } from './get-relating-events.ts';
import { getRelatingEventsWithRelType } from './get-relating-events-with-rel-type.ts';
import { getRelatingEventsWithRelTypeAndEventType } from './get-relating-events-with-rel-type-and-event-type.ts';
import { getThreadRoots } from './get-thread-roots.ts';

export const relationEndpoints = [
  getRelatingEvents,
  getRelatingEventsWithRelType,
  getRelatingEventsWithRelTypeAndEventType,
  getThreadRoots,
];
