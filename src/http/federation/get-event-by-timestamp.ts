/** GET /_matrix/federation/v1/timestamp_to_event/{roomId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1timestamp_to_eventroomid */
import type { Answers } from '../../federation/answers/index.ts';
import { oneOf, queryInteger } from '../decode.ts';
import { roomId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';

export const getEventByTimestamp = defineEndpoint({
  operationId: 'getEventByTimestamp',
  method: 'GET',
  path: '/_matrix/federation/v1/timestamp_to_event/{roomId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId() },
  query: { ts: queryInteger(), dir: oneOf('f', 'b') },
  async handle({ params, query, requester }, { answers }: { answers: Pick<Answers, 'eventByTime'> }) {
    return { json: await answers.eventByTime(requester, params.roomId, query) };
  },
});
