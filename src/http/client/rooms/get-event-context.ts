/** GET /_matrix/client/v3/rooms/{roomId}/context/{eventId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid */
import type { Rooms } from '../../../rooms/index.ts';
import { optional, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { eventId, roomId } from './identifiers.ts';

export const getEventContext = defineEndpoint({
  operationId: 'getEventContext',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/context/{eventId}',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { roomId: roomId(), eventId: eventId() },
  query: { limit: withDefault(queryInteger({ min: 0 }), 10), filter: optional(string()) },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'context'> }) {
    return { json: await rooms.context(requester, params.roomId, params.eventId, query.limit, query.filter) };
  },
});
