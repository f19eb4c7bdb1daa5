/** GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventid */
import type { Rooms } from '../../../rooms/index.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { relationsParams, relationsQuery } from './relations-request.ts';

export const getRelatingEvents = defineEndpoint({
  operationId: 'getRelatingEvents',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/{roomId}/relations/{eventId}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: relationsParams,
  query: relationsQuery,
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'relations'> }) {
    return { json: await rooms.relations(requester, { ...params, ...query }) };
  },
});
