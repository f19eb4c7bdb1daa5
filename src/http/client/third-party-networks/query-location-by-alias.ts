/** GET /_matrix/client/v3/thirdparty/location — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartylocation */
import { defineEndpoint } from '../../endpoint.ts';
import { roomAlias } from '../rooms/identifiers.ts';

export const queryLocationByAlias = defineEndpoint({
  operationId: 'queryLocationByAlias',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/location',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { alias: roomAlias() },
  // Nothing here leads to another network.
  handle: async () => ({ json: [] }),
});
