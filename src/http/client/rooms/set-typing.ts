/** PUT /_matrix/client/v3/rooms/{roomId}/typing/{userId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid */
import { forbidden } from '../../../matrix/errors.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { boolean, integer, object, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId, userId } from './identifiers.ts';

export const setTyping = defineEndpoint({
  operationId: 'setTyping',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/typing/{userId}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { roomId: roomId(), userId: userId() },
  query: {},
  body: object({ typing: boolean(), timeout: withDefault(integer({ min: 0 }), 30_000) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'setTyping'> }) {
    if (params.userId !== requester.userId) throw forbidden('You cannot type for somebody else');
    await rooms.setTyping(requester, params.roomId, body.typing ? body.timeout : undefined);
    return { json: {} };
  },
});
