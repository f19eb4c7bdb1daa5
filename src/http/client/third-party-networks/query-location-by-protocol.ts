/** GET /_matrix/client/v3/thirdparty/location/{protocol} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartylocationprotocol */
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { noSuchProtocol } from './no-networks.ts';

export const queryLocationByProtocol = defineEndpoint({
  operationId: 'queryLocationByProtocol',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/location/{protocol}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { protocol: string() },
  query: {},
  handle: () => Promise.reject(noSuchProtocol()),
});
