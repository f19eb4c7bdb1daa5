/** PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid */
import type { Rooms } from '../../../rooms/index.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const sendMessage = defineEndpoint({
  operationId: 'sendMessage',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}',
  auth: 'accessToken',
  rateLimit: 'send',
  refusedWhileSuspended: true,
  params: { roomId: roomId(), eventType: string({ maxBytes: 255 }), txnId: string({ maxBytes: 255 }) },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'sendMessage'> }) {
    const { roomId, eventType: type, txnId } = params;
    const eventId = await rooms.sendMessage(requester, {
      roomId,
      type,
      content: body,
      transaction: { deviceNid: requester.deviceNid, path: `send/${roomId}/${type}`, txnId },
    });
    return { json: { event_id: eventId } };
  },
});
