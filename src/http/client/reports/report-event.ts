/** POST /_matrix/client/v3/rooms/{roomId}/report/{eventId} — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreporteventid */
import { limits } from '../../../platform/limits.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { integer, object, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { eventId, roomId } from '../rooms/identifiers.ts';

export const reportEvent = defineEndpoint({
  operationId: 'reportEvent',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/report/{eventId}',
  auth: 'accessToken',
  rateLimit: 'report',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  body: object({
    reason: optional(string({ maxBytes: limits.reportReasonBytesMax })),
    score: optional(integer()),
  }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'reportEvent'> }) {
    await rooms.reportEvent(requester, params.roomId, { ...body, eventId: params.eventId });
    return { json: {} };
  },
});
