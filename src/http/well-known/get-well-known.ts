/** GET /.well-known/matrix/server. https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver */
import { notFound } from '../../matrix/errors.ts';
import { defineEndpoint } from '../endpoint.ts';
import type { WellKnownDomain } from './well-known-settings.ts';

export const getWellKnown = defineEndpoint({
  operationId: 'getWellKnown',
  method: 'GET',
  path: '/.well-known/matrix/server',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, { wellKnown }: WellKnownDomain) => {
    if (wellKnown.federationDelegate === undefined) throw notFound('This server delegates to no other name');
    return { json: { 'm.server': wellKnown.federationDelegate } };
  },
});
