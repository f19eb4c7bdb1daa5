/** GET /_matrix/client/v3/thirdparty/user — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyuser */
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from '../rooms/identifiers.ts';

export const queryUserByID = defineEndpoint({
  operationId: 'queryUserByID',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/user',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { userid: userId() },
  // Nothing here leads to another network.
  handle: async () => ({ json: [] }),
});
