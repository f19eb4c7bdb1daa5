import { getHealth } from './get-health.ts';
import { getLiveness } from './get-liveness.ts';
import { getReadiness } from './get-readiness.ts';

export const healthEndpoints = [getHealth, getLiveness, getReadiness];
