/** GET /metrics, in the text format of Prometheus. */
import type { Metrics } from '../../platform/metrics.ts';
import { defineEndpoint } from '../endpoint.ts';

export interface MetricsDomain {
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
}

export const getMetrics = defineEndpoint({
  operationId: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, { metrics }: MetricsDomain) => ({
    headers: { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' },
    raw: await metrics.text(),
  }),
});
