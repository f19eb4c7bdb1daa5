/** POST /_matrix/client/v3/publicRooms — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms */
import { badJson } from '../../../matrix/errors.ts';
import type { JsonValue } from '../../../matrix/json/json-value.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { arrayOf, boolean, integer, json, object, optional, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { serverName } from '../rooms/identifiers.ts';

export const queryPublicRooms = defineEndpoint({
  operationId: 'queryPublicRooms',
  method: 'POST',
  path: '/_matrix/client/v3/publicRooms',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { server: optional(serverName()) },
  body: object({
    limit: optional(integer({ min: 0 })),
    since: optional(string()),
    filter: optional(
      object({ generic_search_term: optional(string()), room_types: optional(arrayOf(json(), { max: 100 })) }),
    ),
    include_all_networks: withDefault(boolean(), false),
    third_party_instance_id: optional(string()),
  }),
  async handle({ query, body }, { rooms }: { rooms: Pick<Rooms, 'publicRooms'> }) {
    const { filter } = body;
    const found = await rooms.publicRooms({
      server: query.server,
      limit: body.limit,
      since: body.since,
      searchTerm: filter?.generic_search_term,
      roomTypes: filter?.room_types?.map(roomTypeOf),
      includeAllNetworks: body.include_all_networks,
      thirdPartyInstanceId: body.third_party_instance_id,
    });
    return { json: found };
  },
});

function roomTypeOf(value: JsonValue): string | null {
  if (value !== null && typeof value !== 'string') throw badJson('body.filter.room_types must hold strings and null');
  return value;
}
