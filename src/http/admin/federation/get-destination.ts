/** GET /_synapse/admin/v1/federation/destinations/{destination} — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/federation.html#destination-details-api */
import type { DestinationAdministration } from '../../../federation/send/administration.ts';
import { serverName } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { destinationReply } from './destination-reply.ts';

export const getDestination = defineEndpoint({
  operationId: 'getDestination',
  method: 'GET',
  path: '/_synapse/admin/v1/federation/destinations/{destination}',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: { destination: serverName() },
  query: {},
  async handle({ params }, { destinations }: { destinations: DestinationAdministration }) {
    return { json: destinationReply(await destinations.get(params.destination)) };
  },
});
