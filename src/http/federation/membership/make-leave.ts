/** GET /_matrix/federation/v1/make_leave/{roomId}/{userId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_leaveroomiduserid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { roomId, userId } from '../../client/rooms/identifiers.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const makeLeave = defineEndpoint({
  operationId: 'makeLeave',
  method: 'GET',
  path: '/_matrix/federation/v1/make_leave/{roomId}/{userId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), userId: userId() },
  query: {},
  async handle({ params, requester }, { memberships }: { memberships: Pick<Memberships, 'make'> }) {
    return {
      json: await memberships.make(requester, { ...params, membership: 'leave', versions: undefined }),
    };
  },
});
