/** GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltypeeventtype */
import { limits } from '../../../platform/limits.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { relationsParams, relationsQuery } from './relations-request.ts';

export const getRelatingEventsWithRelTypeAndEventType = defineEndpoint({
  operationId: 'getRelatingEventsWithRelTypeAndEventType',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {
    ...relationsParams,
    relType: string({ maxBytes: limits.idBytesMax }),
    eventType: string({ maxBytes: limits.idBytesMax }),
  },
  query: relationsQuery,
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'relations'> }) {
    return { json: await rooms.relations(requester, { ...params, ...query }) };
  },
});
