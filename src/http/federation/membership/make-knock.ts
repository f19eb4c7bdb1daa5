/** GET /_matrix/federation/v1/make_knock/{roomId}/{userId}. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_knockroomiduserid */
import type { Memberships } from '../../../federation/membership/index.ts';
import { roomId, userId } from '../../client/rooms/identifiers.ts';
import { arrayOf, string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const makeKnock = defineEndpoint({
  operationId: 'makeKnock',
  method: 'GET',
  path: '/_matrix/federation/v1/make_knock/{roomId}/{userId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId(), userId: userId() },
  query: { ver: arrayOf(string()) },
  async handle({ params, query, requester }, { memberships }: { memberships: Pick<Memberships, 'make'> }) {
    return {
      json: await memberships.make(requester, { ...params, membership: 'knock', versions: query.ver }),
    };
  },
});
