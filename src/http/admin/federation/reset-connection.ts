/** POST /_synapse/admin/v1/federation/destinations/{destination}/reset_connection — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/federation.html#reset-connection-timeout */
import type { DestinationAdministration } from '../../../federation/send/administration.ts';
import { serverName } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const resetConnection = defineEndpoint({
  operationId: 'resetConnection',
  method: 'POST',
  path: '/_synapse/admin/v1/federation/destinations/{destination}/reset_connection',
  auth: 'adminAccessToken',
  rateLimit: 'none',
  params: { destination: serverName() },
  query: {},
  async handle({ params }, { destinations }: { destinations: DestinationAdministration }) {
    await destinations.reset(params.destination);
    return { json: {} };
  },
});
