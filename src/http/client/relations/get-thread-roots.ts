/** GET /_matrix/client/v1/rooms/{roomId}/threads — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads */
import { limits } from '../../../platform/limits.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { oneOf, optional, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getThreadRoots = defineEndpoint({
  operationId: 'getThreadRoots',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/{roomId}/threads',
  auth: 'accessToken',
  rateLimit: 'read',
  params: { roomId: roomId() },
  query: {
    include: withDefault(oneOf('all', 'participated'), 'all'),
    limit: withDefault(queryInteger({ min: 1 }), limits.threadsDefault),
    from: optional(string()),
  },
  async handle({ params, query, requester }, { rooms }: { rooms: Pick<Rooms, 'threads'> }) {
    return { json: await rooms.threads(requester, params.roomId, query) };
  },
});
