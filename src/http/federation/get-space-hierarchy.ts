/** GET /_matrix/federation/v1/hierarchy/{roomId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid */
import type { Answers } from '../../federation/answers/index.ts';
import { roomId } from '../client/rooms/identifiers.ts';
import { queryBoolean, withDefault } from '../decode.ts';
import { defineEndpoint } from '../endpoint.ts';

export const getRemoteSpaceHierarchy = defineEndpoint({
  operationId: 'getSpaceHierarchy',
  method: 'GET',
  path: '/_matrix/federation/v1/hierarchy/{roomId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId() },
  query: { suggested_only: withDefault(queryBoolean(), false) },
  async handle({ params, query, requester }, { answers }: { answers: Pick<Answers, 'hierarchy'> }) {
    const question = { roomId: params.roomId, suggestedOnly: query.suggested_only };
    return { json: await answers.hierarchy(requester, question) };
  },
});
