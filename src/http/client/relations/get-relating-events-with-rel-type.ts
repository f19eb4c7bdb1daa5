/** GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltype */
import { limits } from '../../../platform/limits.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { relationsParams, relationsQuery } from './relations-request.ts';

export const getRelatingEventsWithRelType = defineEndpoint({
  operationId: 'getRelatingEventsWithRelType',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { ...relationsParams, relType: string({ maxBytes: limits.idBytesMax }) },
  query: relationsQuery,
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'relations'> }) {
    return { json: await rooms.relations(requester, { ...params, ...query }) };
  },
});
