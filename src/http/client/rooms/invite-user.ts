/** POST /_matrix/client/v3/rooms/{roomId}/invite — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite */
import { MatrixError, missingParam } from '../../../matrix/errors.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { json, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId, userId } from './identifiers.ts';

export const inviteUser = defineEndpoint({
  operationId: 'inviteUser',
  alsoOperationIds: ['inviteBy3PID'],
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/invite',
  auth: 'accessToken',
  rateLimit: 'invite',
  refusedWhileSuspended: true,
  params: { roomId: roomId() },
  query: {},
  body: object({
    user_id: optional(userId()),
    reason: optional(string()),
    // Each of them makes it an invite by a third-party identifier, which goes through an identity server.
    id_server: optional(json()),
    medium: optional(json()),
    address: optional(json()),
  }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'inviteUser'> }) {
    if (body.user_id === undefined) {
      if ([body.id_server, body.medium, body.address].every((field) => field === undefined))
        throw missingParam('body.user_id is missing');
      throw new MatrixError(403, 'M_THREEPID_DENIED', 'This server uses no identity servers: invite by Matrix user ID');
    }
    await rooms.inviteUser(requester, { roomId: params.roomId, target: body.user_id, reason: body.reason });
    return { json: {} };
  },
});
