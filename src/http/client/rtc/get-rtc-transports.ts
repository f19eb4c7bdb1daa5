/** GET /_matrix/client/v1/rtc/transports — https://github.com/matrix-org/matrix-spec-proposals/pull/4143 (MSC4143, MSC4519) */
import type { Rtc } from '../../../rtc/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getRtcTransports = defineEndpoint({
  operationId: 'getRtcTransports',
  method: 'GET',
  path: '/_matrix/client/v1/rtc/transports',
  alsoAt: ['/_matrix/client/unstable/org.matrix.msc4143/rtc/transports'],
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle(_request, { rtc }: { rtc: Pick<Rtc, 'transports'> }) {
    return { json: { rtc_transports: rtc.transports } };
  },
});
