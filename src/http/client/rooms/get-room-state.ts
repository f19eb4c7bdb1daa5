/** GET /_matrix/client/v3/rooms/{roomId}/state — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstate */
import type { Rooms } from '../../../rooms/index.ts';

import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const getRoomState = defineEndpoint({
  operationId: 'getRoomState',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/state',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { roomId: roomId() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'state'> }) {
    return { json: await rooms.state(requester, params.roomId) };
  },
});
