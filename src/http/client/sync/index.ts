import { sync } from './sync.ts';

export const syncEndpoints = [sync];
