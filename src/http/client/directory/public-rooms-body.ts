import { badJson } from '../../../matrix/errors.ts';
import type { JsonValue } from '../../../matrix/json/json-value.ts';
import type { PublicRoomsQuery } from '../../../rooms/directory/public-rooms.ts';
import { arrayOf, boolean, type Decoded, integer, json, object, optional, string, withDefault } from '../../decode.ts';

/** Of `POST /publicRooms`, among servers too. */
export const publicRoomsBody = object({
  limit: optional(integer({ min: 0 })),
  since: optional(string()),
  filter: optional(
    object({ generic_search_term: optional(string()), room_types: optional(arrayOf(json(), { max: 100 })) }),
  ),
  include_all_networks: withDefault(boolean(), false),
  third_party_instance_id: optional(string()),
});

/** Throws M_BAD_JSON. */
export function publicRoomsQueryOf(body: Decoded<typeof publicRoomsBody>): PublicRoomsQuery {
  const { filter } = body;
  return {
    limit: body.limit,
    since: body.since,
    searchTerm: filter?.generic_search_term,
    roomTypes: filter?.room_types?.map(roomTypeOf),
    includeAllNetworks: body.include_all_networks,
    thirdPartyInstanceId: body.third_party_instance_id,
  };
}

function roomTypeOf(value: JsonValue): string | null {
  if (value !== null && typeof value !== 'string') throw badJson('body.filter.room_types must hold strings and null');
  return value;
}
