/** POST /_matrix/client/v3/rooms/{roomId}/report — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreport */
import { limits } from '../../../platform/limits.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { object, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const reportRoom = defineEndpoint({
  operationId: 'reportRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/{roomId}/report',
  auth: 'accessToken',
  rateLimit: 'report',
  params: { roomId: roomId() },
  query: {},
  body: object({ reason: string({ maxBytes: limits.reportReasonBytesMax }) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'reportRoom'> }) {
    await rooms.reportRoom(requester, params.roomId, body.reason);
    return { json: {} };
  },
});
