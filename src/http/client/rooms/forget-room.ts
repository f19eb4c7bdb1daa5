/** POST /_matrix/client/v3/rooms/{roomId}/forget — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const forgetRoom = defineEndpoint({
  operationId: 'forgetRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/forget',
  auth: 'accessToken',
  rateLimit: 'send',
  params: { roomId: roomId() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'forgetRoom'> }) {
    await rooms.forgetRoom(requester, params.roomId);
    return { json: {} };
  },
});
