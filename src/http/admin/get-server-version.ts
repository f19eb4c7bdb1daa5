/** GET /_synapse/admin/v1/server_version — https://element-hq.github.io/synapse/latest/admin_api/version_api.html */
import { defineEndpoint } from '../endpoint.ts';

export const getServerVersion = defineEndpoint({
  operationId: 'getServerVersion',
  method: 'GET',
  path: '/_synapse/admin/v1/server_version',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle(_request, { software }: { software: { readonly name: string; readonly version: string } }) {
    return { json: { server_version: `${software.version} (${software.name})` } };
  },
});
