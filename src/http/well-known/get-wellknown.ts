/** GET /.well-known/matrix/client. https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient */
import { defineEndpoint } from '../endpoint.ts';
import type { WellKnownDomain } from './well-known-settings.ts';

export const getWellknown = defineEndpoint({
  operationId: 'getWellknown',
  method: 'GET',
  path: '/.well-known/matrix/client',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, { wellKnown }: WellKnownDomain) => ({
    json: {
      'm.homeserver': { base_url: wellKnown.homeserverBaseUrl },
      // MSC4143; clients ask rtc/transports first.
      ...(wellKnown.rtcFoci.length === 0 ? {} : { 'org.matrix.msc4143.rtc_foci': wellKnown.rtcFoci }),
    },
  }),
});
