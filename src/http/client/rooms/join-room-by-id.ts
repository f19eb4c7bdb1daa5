/** POST /_matrix/client/v3/rooms/{roomId}/join — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const joinRoomById = defineEndpoint({
  operationId: 'joinRoomById',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/join',
  auth: 'accessToken',
  rateLimit: 'send',
  params: { roomId: roomId() },
  query: {},
  body: object({ reason: optional(string()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'joinRoom'> }) {
    await rooms.joinRoom(requester, { roomId: params.roomId, reason: body.reason });
    return { json: { room_id: params.roomId } };
  },
});
