/** Events that are sent later: MSC4140. */
import { getDelayedEvent } from './get-delayed-event.ts';
import { getDelayedEvents } from './get-delayed-events.ts';
import { manageDelayedEvent } from './manage-delayed-event.ts';
import { manageOwnDelayedEvent } from './manage-own-delayed-event.ts';
import { scheduleDelayedEvent } from './schedule-delayed-event.ts';

export const delayedEventEndpoints = [
  getDelayedEvent,
  getDelayedEvents,
  manageDelayedEvent,
  manageOwnDelayedEvent,
  scheduleDelayedEvent,
];
