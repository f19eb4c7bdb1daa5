/** GET /_matrix/federation/v1/event/{eventId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1eventeventid */
import type { Answers } from '../../federation/answers/index.ts';
import { eventId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';

export const getEvent = defineEndpoint({
  operationId: 'getEvent',
  method: 'GET',
  path: '/_matrix/federation/v1/event/{eventId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { eventId: eventId() },
  query: {},
  async handle({ params, requester }, { answers }: { answers: Pick<Answers, 'event'> }) {
    return { json: await answers.event(requester, params.eventId) };
  },
});
