/** GET /health/ready. Ready to answer, in the words of Kubernetes. */
import { defineEndpoint } from '../endpoint.ts';
import { type HealthDomain, readiness } from './health.ts';

export const getReadiness = defineEndpoint({
  operationId: 'getReadiness',
  method: 'GET',
  path: '/health/ready',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, domain: HealthDomain) => readiness(domain),
});
