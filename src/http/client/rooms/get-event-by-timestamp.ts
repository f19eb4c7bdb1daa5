/** GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event */
import type { Rooms } from '../../../rooms/index.ts';
import { oneOf, queryInteger } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const getEventByTimestamp = defineEndpoint({
  operationId: 'getEventByTimestamp',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/{roomId}/timestamp_to_event',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: { ts: queryInteger({ min: 0 }), dir: oneOf('f', 'b') },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'eventByTime'> }) {
    return { json: await rooms.eventByTime(requester, params.roomId, query) };
  },
});
