/** GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey} — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey */
import type { Rooms } from '../../../rooms/index.ts';
import { oneOf, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from './identifiers.ts';

export const getRoomStateWithKey = defineEndpoint({
  operationId: 'getRoomStateWithKey',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}',
  // An empty state key may be left out, with or without the slash before it.
  alsoAt: ['/_matrix/client/v3/rooms/{roomId}/state/{eventType}'],
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: { roomId: roomId(), eventType: string(), stateKey: withDefault(string(), '') },
  query: { format: withDefault(oneOf('content', 'event'), 'content') },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'stateEvent'> }) {
    const { roomId, eventType, stateKey } = params;
    return { json: await rooms.stateEvent(requester, roomId, eventType, stateKey, query.format) };
  },
});
