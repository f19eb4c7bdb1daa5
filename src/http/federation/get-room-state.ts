/** GET /_matrix/federation/v1/state/{roomId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid */
import type { Answers } from '../../federation/answers/index.ts';
import { eventId, roomId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';

export const getRoomState = defineEndpoint({
  operationId: 'getRoomState',
  method: 'GET',
  path: '/_matrix/federation/v1/state/{roomId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId() },
  query: { event_id: eventId() },
  async handle({ params, query, requester }, { answers }: { answers: Pick<Answers, 'state'> }) {
    return { jsonPieces: await answers.state(requester, params.roomId, query.event_id) };
  },
});
