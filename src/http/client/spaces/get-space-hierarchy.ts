/** GET /_matrix/client/v1/rooms/{roomId}/hierarchy — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy */
import type { Rooms } from '../../../rooms/index.ts';
import { optional, queryBoolean, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getSpaceHierarchy = defineEndpoint({
  operationId: 'getSpaceHierarchy',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/{roomId}/hierarchy',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: {
    suggested_only: withDefault(queryBoolean(), false),
    limit: optional(queryInteger({ min: 1 })),
    max_depth: optional(queryInteger({ min: 0 })),
    from: optional(string()),
  },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'spaceHierarchy'> }) {
    const { suggested_only: suggestedOnly, max_depth: maxDepth, limit, from } = query;
    return { json: await rooms.spaceHierarchy(requester, params.roomId, { suggestedOnly, maxDepth, limit, from }) };
  },
});
