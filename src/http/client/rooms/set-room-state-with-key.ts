/** PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey */
import type { Rooms } from '../../../rooms/index.ts';
import { jsonObject, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';
import { type DelayDomain, schedule, sendOptions } from './send-options.ts';

export const setRoomStateWithKey = defineEndpoint({
  operationId: 'setRoomStateWithKey',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}',
  // An empty state key may be left out, with or without the slash before it.
  alsoAt: ['/_matrix/client/v3/rooms/{roomId}/state/{eventType}'],
  auth: 'accessToken',
  rateLimit: 'send',
  allowGuests: true,
  refusedWhileSuspended: true,
  params: {
    roomId: roomId(),
    eventType: string({ maxBytes: 255 }),
    stateKey: withDefault(string({ maxBytes: 255 }), ''),
  },
  query: sendOptions,
  body: jsonObject(),
  async handle({ params, query, body, requester }, domain: { rooms: Pick<Rooms, 'sendState'> } & DelayDomain) {
    const { roomId, eventType: type, stateKey } = params;
    const { 'org.matrix.msc4140.delay': delayMs, 'org.matrix.msc4354.sticky_duration_ms': stickyMs } = query;
    const event = { roomId, type, stateKey, content: body, stickyMs };
    if (delayMs !== undefined) return schedule(domain, requester, { ...event, delayMs, transaction: undefined });
    return { json: { event_id: await domain.rooms.sendState(requester, event) } };
  },
});
