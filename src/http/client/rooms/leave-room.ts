/** POST /_matrix/client/v3/rooms/{roomId}/leave — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidleave */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const leaveRoom = defineEndpoint({
  operationId: 'leaveRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/leave',
  auth: 'accessToken',
  rateLimit: 'send',
  allowGuests: true,
  params: { roomId: roomId() },
  query: {},
  body: object({ reason: optional(string()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'leaveRoom'> }) {
    await rooms.leaveRoom(requester, { roomId: params.roomId, reason: body.reason });
    return { json: {} };
  },
});
