/** GET /_synapse/admin/v1/federation/destinations/{destination}/rooms — https://element-hq.github.io/synapse/latest/usage/administration/admin_api/federation.html#destination-rooms */
import type { DestinationAdministration } from '../../../federation/send/administration.ts';
import { serverName } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { destinationPageQuery } from './destination-reply.ts';

export const listRoomsOfDestination = defineEndpoint({
  operationId: 'listRoomsOfDestination',
  method: 'GET',
  path: '/_synapse/admin/v1/federation/destinations/{destination}/rooms',
  auth: 'adminAccessToken',
  rateLimit: 'read',
  params: { destination: serverName() },
  query: destinationPageQuery,
  async handle({ params, query }, { destinations }: { destinations: DestinationAdministration }) {
    const { from, limit, dir: direction } = query;
    const { rows, total, next } = await destinations.rooms(params.destination, { from, limit, direction });
    return {
      json: {
        rooms: rows.map(({ roomId, lastSentPos }) => ({ room_id: roomId, stream_ordering: lastSentPos })),
        total,
        ...(next === undefined ? {} : { next_token: String(next) }),
      },
    };
  },
});
