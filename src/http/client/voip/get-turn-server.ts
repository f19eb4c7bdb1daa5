/** GET /_matrix/client/v3/voip/turnServer — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver */
import type { Rtc } from '../../../rtc/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getTurnServer = defineEndpoint({
  operationId: 'getTurnServer',
  method: 'GET',
  path: '/_matrix/client/v3/voip/turnServer',
  auth: 'accessToken',
  rateLimit: 'read',
  repliesWithSecrets: true,
  params: {},
  query: {},
  async handle({ requester }, { rtc }: { rtc: Pick<Rtc, 'turnCredentials'> }) {
    return { json: rtc.turnCredentials(requester) };
  },
});
