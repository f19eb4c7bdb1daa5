/** POST /_matrix/client/v3/rooms/{roomId}/kick — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidkick */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId, userId } from './identifiers.ts';

export const kick = defineEndpoint({
  operationId: 'kick',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/kick',
  auth: 'accessToken',
  rateLimit: 'send',
  refusedWhileSuspended: true,
  params: { roomId: roomId() },
  query: {},
  body: object({ user_id: userId(), reason: optional(string()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'kickUser'> }) {
    await rooms.kickUser(requester, { roomId: params.roomId, target: body.user_id, reason: body.reason });
    return { json: {} };
  },
});
