import { getTurnServer } from './get-turn-server.ts';

export const voipEndpoints = [getTurnServer];
