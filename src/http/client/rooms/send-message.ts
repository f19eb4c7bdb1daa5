/** PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid */
import type { Rooms } from '../../../rooms/index.ts';
import { jsonObject, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';
import { type DelayDomain, schedule, sendOptions } from './send-options.ts';

export const sendMessage = defineEndpoint({
  operationId: 'sendMessage',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}',
  auth: 'accessToken',
  rateLimit: 'send',
  allowGuests: true,
  refusedWhileSuspended: true,
  params: { roomId: roomId(), eventType: string({ maxBytes: 255 }), txnId: string({ maxBytes: 255 }) },
  query: sendOptions,
  body: jsonObject(),
  async handle({ params, query, body, requester }, domain: { rooms: Pick<Rooms, 'sendMessage'> } & DelayDomain) {
    const { roomId, eventType: type, txnId } = params;
    const { 'org.matrix.msc4140.delay': delayMs, 'org.matrix.msc4354.sticky_duration_ms': stickyMs } = query;
    const transaction = { deviceNid: requester.deviceNid, path: `send/${roomId}/${type}`, txnId };
    const event = { roomId, type, content: body, stickyMs, transaction };
    if (delayMs !== undefined) return schedule(domain, requester, { ...event, stateKey: undefined, delayMs });
    return { json: { event_id: await domain.rooms.sendMessage(requester, event) } };
  },
});
