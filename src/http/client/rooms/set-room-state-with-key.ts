/** PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey} — https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey */
import type { Rooms } from '../../../rooms/index.ts';
import { jsonObject, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const setRoomStateWithKey = defineEndpoint({
  operationId: 'setRoomStateWithKey',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}',
  // An empty state key may be left out, with or without the slash before it.
  alsoAt: ['/_matrix/client/v3/rooms/{roomId}/state/{eventType}'],
  auth: 'accessToken',
  rateLimit: 'send',
  refusedWhileSuspended: true,
  params: {
    roomId: roomId(),
    eventType: string({ maxBytes: 255 }),
    stateKey: withDefault(string({ maxBytes: 255 }), ''),
  },
  query: {},
  body: jsonObject(),
  async handle({ params, body, requester }, { rooms }: { rooms: Pick<Rooms, 'sendState'> }) {
    const { roomId, eventType: type, stateKey } = params;
    const eventId = await rooms.sendState(requester, { roomId, type, stateKey, content: body });
    return { json: { event_id: eventId } };
  },
});
