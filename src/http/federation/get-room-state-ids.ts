/** GET /_matrix/federation/v1/state_ids/{roomId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid */
import type { Answers } from '../../federation/answers/index.ts';
import { eventId, roomId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';

export const getRoomStateIds = defineEndpoint({
  operationId: 'getRoomStateIds',
  method: 'GET',
  path: '/_matrix/federation/v1/state_ids/{roomId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId() },
  query: { event_id: eventId() },
  async handle({ params, query, requester }, { answers }: { answers: Pick<Answers, 'stateIds'> }) {
    return { jsonPieces: await answers.stateIds(requester, params.roomId, query.event_id) };
  },
});
