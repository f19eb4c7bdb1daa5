import { getMetrics } from './get-metrics.ts';

export const metricsEndpoints = [getMetrics];
