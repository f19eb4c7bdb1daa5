/** GET /_matrix/federation/v1/backfill/{roomId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid */
import type { Answers } from '../../federation/answers/index.ts';
import { limits } from '../../platform/limits.ts';
import { arrayOf, queryInteger } from '../decode.ts';
import { eventId, roomId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';

export const backfillRoom = defineEndpoint({
  operationId: 'backfillRoom',
  method: 'GET',
  path: '/_matrix/federation/v1/backfill/{roomId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId() },
  query: { v: arrayOf(eventId(), { max: limits.historyIdsMax }), limit: queryInteger({ min: 1 }) },
  async handle({ params, query, requester }, { answers }: { answers: Pick<Answers, 'backfill'> }) {
    return { json: await answers.backfill(requester, params.roomId, { from: query.v, limit: query.limit }) };
  },
});
