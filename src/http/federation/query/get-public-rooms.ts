/** GET /_matrix/federation/v1/publicRooms. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1publicrooms */
import type { Rooms } from '../../../rooms/index.ts';
import { optional, queryBoolean, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getPublicRooms = defineEndpoint({
  operationId: 'getPublicRooms',
  method: 'GET',
  path: '/_matrix/federation/v1/publicRooms',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: {},
  query: {
    limit: optional(queryInteger({ min: 0 })),
    since: optional(string()),
    include_all_networks: withDefault(queryBoolean(), false),
    third_party_instance_id: optional(string()),
  },
  async handle({ query }, { rooms }: { rooms: Pick<Rooms, 'publicRooms'> }) {
    const { limit, since, include_all_networks: includeAllNetworks, third_party_instance_id: network } = query;
    return { json: await rooms.publicRooms({ limit, since, includeAllNetworks, thirdPartyInstanceId: network }) };
  },
});
