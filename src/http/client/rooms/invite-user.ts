/** POST /_matrix/client/v3/rooms/{roomId}/invite — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId, userId } from './identifiers.ts';

export const inviteUser = defineEndpoint({
  operationId: 'inviteUser',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/invite',
  auth: 'accessToken',
  rateLimit: 'invite',
  refusedWhileSuspended: true,
  params: { roomId: roomId() },
  query: {},
  body: object({ user_id: userId(), reason: optional(string()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'inviteUser'> }) {
    await rooms.inviteUser(requester, { roomId: params.roomId, target: body.user_id, reason: body.reason });
    return { json: {} };
  },
});
