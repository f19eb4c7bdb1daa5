/** GET /_matrix/client/v3/thirdparty/protocols — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocols */
import { defineEndpoint } from '../../endpoint.ts';

export const getProtocols = defineEndpoint({
  operationId: 'getProtocols',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/protocols',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  handle: async () => ({ json: {} }),
});
