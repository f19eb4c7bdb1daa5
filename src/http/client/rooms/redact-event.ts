/** PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid */
import { assertNotSuspended } from '../../../accounts/suspension.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { objectWith, optional, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { noDelay } from './send-options.ts';
import { eventId, roomId } from './identifiers.ts';

export const redactEvent = defineEndpoint({
  operationId: 'redactEvent',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}',
  auth: 'accessToken',
  rateLimit: 'send',
  params: { roomId: roomId(), eventId: eventId(), txnId: string({ maxBytes: 255 }) },
  query: noDelay,
  body: objectWith({ reason: optional(string()) }),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'redactEvent' | 'event'> }) {
    const { roomId, eventId, txnId } = params;
    // A suspended person may still take back what they said themselves.
    if (requester.isSuspended && (await rooms.event(requester, roomId, eventId))['sender'] !== requester.userId)
      assertNotSuspended(requester);
    const redactionId = await rooms.redactEvent(requester, {
      roomId,
      eventId,
      content: body,
      transaction: { deviceNid: requester.deviceNid, path: `redact/${roomId}/${eventId}`, txnId },
    });
    return { json: { event_id: redactionId } };
  },
});
