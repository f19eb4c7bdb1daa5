/** GET /_matrix/livekit/jwt/healthz: clients and operators look here whether the service is there. */
import type { Rtc } from '../../rtc/index.ts';
import { defineEndpoint } from '../endpoint.ts';

export const healthz = defineEndpoint({
  operationId: 'healthz',
  method: 'GET',
  path: '/_matrix/livekit/jwt/healthz',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  async handle(_request, { rtc }: { rtc: Pick<Rtc, 'livekit'> }) {
    rtc.livekit();
    return { json: {} };
  },
});
