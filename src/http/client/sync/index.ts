import { slidingSync } from './sliding-sync.ts';
import { slidingSyncUnstable } from './sliding-sync-unstable.ts';
import { sync } from './sync.ts';

export const syncEndpoints = [sync, slidingSync, slidingSyncUnstable];
