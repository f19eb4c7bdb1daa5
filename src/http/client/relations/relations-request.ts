/** What the three forms of /relations have in common. */
import { limits } from '../../../platform/limits.ts';
import { oneOf, optional, queryBoolean, queryInteger, string, withDefault } from '../../decode.ts';
import { eventId, roomId } from '../rooms/identifiers.ts';

export const relationsParams = { roomId: roomId(), eventId: eventId() };
export const relationsQuery = {
  from: optional(string()),
  to: optional(string()),
  dir: withDefault(oneOf('b', 'f'), 'b'),
  limit: withDefault(queryInteger({ min: 0 }), limits.relationsDefault),
  recurse: optional(queryBoolean()),
};
