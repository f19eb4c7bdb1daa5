/** POST /_matrix/client/v3/rooms/{roomId}/join — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';
import { joinBody } from './join-body.ts';

export const joinRoomById = defineEndpoint({
  operationId: 'joinRoomById',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/join',
  auth: 'accessToken',
  rateLimit: 'send',
  allowGuests: true,
  refusedWhileSuspended: true,
  params: { roomId: roomId() },
  query: {},
  body: joinBody,
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'joinRoom'> }) {
    await rooms.joinRoom(requester, { roomId: params.roomId, ...body });
    return { json: { room_id: params.roomId } };
  },
});
