/** GET /health/live. The process runs and its event loop turns; whoever gets no answer restarts it. */
import { defineEndpoint } from '../endpoint.ts';

export const getLiveness = defineEndpoint({
  operationId: 'getLiveness',
  method: 'GET',
  path: '/health/live',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async () => ({ json: { status: 'ok' } }),
});
