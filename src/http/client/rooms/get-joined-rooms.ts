/** GET /_matrix/client/v3/joined_rooms — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3joined_rooms */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getJoinedRooms = defineEndpoint({
  operationId: 'getJoinedRooms',
  method: 'GET',
  path: '/_matrix/client/v3/joined_rooms',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  async handle({ requester }, { rooms }: { rooms: Pick<Rooms, 'joinedRooms'> }) {
    return { json: { joined_rooms: await rooms.joinedRooms(requester) } };
  },
});
