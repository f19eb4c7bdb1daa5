/** GET /_matrix/federation/v1/event_auth/{roomId}/{eventId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid */
import type { Answers } from '../../federation/answers/index.ts';
import { eventId, roomId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';

export const getEventAuth = defineEndpoint({
  operationId: 'getEventAuth',
  method: 'GET',
  path: '/_matrix/federation/v1/event_auth/{roomId}/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), eventId: eventId() },
  query: {},
  async handle({ params, requester }, { answers }: { answers: Pick<Answers, 'eventAuth'> }) {
    return { jsonPieces: await answers.eventAuth(requester, params.roomId, params.eventId) };
  },
});
