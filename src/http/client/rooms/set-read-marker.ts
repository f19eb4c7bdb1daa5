/** POST /_matrix/client/v3/rooms/{roomId}/read_markers — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers */
import type { Rooms } from '../../../rooms/index.ts';
import { object, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { eventId, roomId } from './identifiers.ts';

export const setReadMarker = defineEndpoint({
  operationId: 'setReadMarker',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/read_markers',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { roomId: roomId() },
  query: {},
  body: object({
    'm.fully_read': optional(eventId()),
    'm.read': optional(eventId()),
    'm.read.private': optional(eventId()),
  }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'setReadMarkers'> }) {
    await rooms.setReadMarkers(requester, {
      roomId: params.roomId,
      fullyRead: body['m.fully_read'],
      read: body['m.read'],
      readPrivate: body['m.read.private'],
    });
    return { json: {} };
  },
});
