/** GET /_matrix/client/v3/rooms/{roomId}/messages — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages */
import type { Rooms } from '../../../rooms/index.ts';
import { oneOf, optional, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const getRoomEvents = defineEndpoint({
  operationId: 'getRoomEvents',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/messages',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { roomId: roomId() },
  query: {
    from: optional(string()),
    to: optional(string()),
    dir: optional(oneOf('b', 'f')),
    limit: withDefault(queryInteger({ min: 0 }), 10),
    filter: optional(string()),
  },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'messages'> }) {
    return { json: await rooms.messages(requester, params.roomId, query) };
  },
});
