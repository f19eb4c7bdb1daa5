/** GET /_matrix/key/v2/server. https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server */
import { defineEndpoint } from '../endpoint.ts';
import { publishedKeys, type PublishedKeysDomain } from './published-keys.ts';

export const getServerKey = defineEndpoint({
  operationId: 'getServerKey',
  method: 'GET',
  path: '/_matrix/key/v2/server',
  // Before v1.6 of the specification a key could be asked for by its id; the answer was all keys then, too.
  alsoAt: ['/_matrix/key/v2/server/{keyId}'],
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (request, domain: PublishedKeysDomain) => ({ json: publishedKeys(request.header('host'), domain) }),
});
