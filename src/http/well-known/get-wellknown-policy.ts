/** GET /.well-known/matrix/policy_server. https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixpolicy_server */
import { notFound } from '../../matrix/errors.ts';
import { defineEndpoint } from '../endpoint.ts';
import type { WellKnownDomain } from './well-known-settings.ts';

export const getWellknownPolicy = defineEndpoint({
  operationId: 'getWellknownPolicy',
  method: 'GET',
  path: '/.well-known/matrix/policy_server',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, { wellKnown }: WellKnownDomain) => {
    if (Object.keys(wellKnown.policyServerKeys).length === 0) throw notFound('No policy server is configured');
    return { json: { public_keys: wellKnown.policyServerKeys } };
  },
});
