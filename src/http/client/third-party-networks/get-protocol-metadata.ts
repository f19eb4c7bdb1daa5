/** GET /_matrix/client/v3/thirdparty/protocol/{protocol} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocolprotocol */
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { noSuchProtocol } from './no-networks.ts';

export const getProtocolMetadata = defineEndpoint({
  operationId: 'getProtocolMetadata',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/protocol/{protocol}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { protocol: string() },
  query: {},
  handle: () => Promise.reject(noSuchProtocol()),
});
