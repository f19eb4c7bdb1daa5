/** GET /_matrix/client/v3/rooms/{roomId}/initialSync — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync */
import { limits } from '../../../platform/limits.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { queryInteger, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const roomInitialSync = defineEndpoint({
  operationId: 'roomInitialSync',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/initialSync',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { roomId: roomId() },
  query: { limit: withDefault(queryInteger({ min: 0 }), limits.messagesDefault) },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'snapshot'> }) {
    return { json: await rooms.snapshot(requester, params.roomId, query.limit) };
  },
});
