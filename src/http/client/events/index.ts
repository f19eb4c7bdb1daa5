/** Deprecated ways to follow rooms, which are still the ones to peek into a room without joining it. */
import { getEvents } from './get-events.ts';
import { getOneEvent } from './get-one-event.ts';
import { initialSync } from './initial-sync.ts';
import { roomInitialSync } from './room-initial-sync.ts';

export const eventStreamEndpoints = [getEvents, getOneEvent, initialSync, roomInitialSync];
