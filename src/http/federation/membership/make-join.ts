/** GET /_matrix/federation/v1/make_join/{roomId}/{userId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_joinroomiduserid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { roomId, userId } from '../../client/rooms/identifiers.ts';
import { arrayOf, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const makeJoin = defineEndpoint({
  operationId: 'makeJoin',
  method: 'GET',
  path: '/_matrix/federation/v1/make_join/{roomId}/{userId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), userId: userId() },
  query: { ver: withDefault(arrayOf(string()), ['1']) },
  async handle({ params, query, requester }, { memberships }: { memberships: Pick<Memberships, 'make'> }) {
    return {
      json: await memberships.make(requester, { ...params, membership: 'join', versions: query.ver }),
    };
  },
});
