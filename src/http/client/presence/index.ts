import { getPresence } from './get-presence.ts';
import { setPresence } from './set-presence.ts';

export const presenceEndpoints = [getPresence, setPresence];
