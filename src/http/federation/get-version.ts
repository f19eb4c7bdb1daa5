/** GET /_matrix/federation/v1/version. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1version */
import { defineEndpoint } from '../endpoint.ts';

export interface SoftwareDomain {
  readonly software: { readonly name: string; readonly version: string };
}

export const getVersion = defineEndpoint({
  operationId: 'getVersion',
  method: 'GET',
  path: '/_matrix/federation/v1/version',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async (_request, { software }: SoftwareDomain) => ({
    json: { server: { name: software.name, version: software.version } },
  }),
});
