/** GET /_matrix/client/v3/rooms/{roomId}/aliases — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidaliases */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getLocalAliases = defineEndpoint({
  operationId: 'getLocalAliases',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/aliases',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'localAliases'> }) {
    return { json: { aliases: await rooms.localAliases(requester, params.roomId) } };
  },
});
