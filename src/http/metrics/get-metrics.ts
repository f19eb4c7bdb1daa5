/** GET /metrics, in the text format of Prometheus. */
import { defineEndpoint } from '../endpoint.ts';

export interface MetricsDomain {
  /** A registry of prom-client. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
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
    raw: await metrics.metrics(),
  }),
});
