/** GET /_matrix/client/v3/rooms/{roomId}/event/{eventId} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomideventeventid */
import type { Rooms } from '../../../rooms/index.ts';

import { defineEndpoint } from '../../endpoint.ts';
import { eventId, roomId } from './identifiers.ts';

export const getOneRoomEvent = defineEndpoint({
  operationId: 'getOneRoomEvent',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/event/{eventId}',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  async handle({ params, requester }, { rooms }: { rooms: Pick<Rooms, 'event'> }) {
    return { json: await rooms.event(requester, params.roomId, params.eventId) };
  },
});
