/** GET /_matrix/client/v3/publicRooms — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms */
import type { Rooms } from '../../../rooms/index.ts';
import { optional, queryInteger, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { serverName } from '../rooms/identifiers.ts';

export const getPublicRooms = defineEndpoint({
  operationId: 'getPublicRooms',
  method: 'GET',
  path: '/_matrix/client/v3/publicRooms',
  auth: 'none',
  rateLimit: 'read',
  params: {},
  query: { limit: optional(queryInteger({ min: 0 })), since: optional(string()), server: optional(serverName()) },
  async handle({ query }, { rooms }: { rooms: Pick<Rooms, 'publicRooms'> }) {
    return { json: await rooms.publicRooms(query) };
  },
});
