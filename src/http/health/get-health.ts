/** GET /health. Ready to answer. */
import { defineEndpoint } from '../endpoint.ts';
import { type HealthDomain, readiness } from './health.ts';

export const getHealth = defineEndpoint({
  operationId: 'getHealth',
  method: 'GET',
  path: '/health',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, domain: HealthDomain) => readiness(domain),
});
