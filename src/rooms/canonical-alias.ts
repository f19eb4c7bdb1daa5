/** The content of `m.room.canonical_alias`. https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias */
import { MatrixError, badJson, invalidParam } from '../matrix/errors.ts';
import type { RoomAlias } from '../matrix/ids/ids.ts';
import { isRoomAlias } from '../matrix/ids/room-id.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';

/**
 * The aliases that a new content names and the one before did not: those that must lead to the room.
 * Errors: M_BAD_JSON for what is no text, M_INVALID_PARAM for what is no alias.
 */
export function newAliasesIn(content: JsonObject, before: JsonObject): RoomAlias[] {
  if (content['alt_aliases'] !== undefined && !Array.isArray(content['alt_aliases']))
    throw badJson('alt_aliases must be an array');
  const known = new Set(namesIn(before));
  return namesIn(content).flatMap((name) => {
    if (typeof name !== 'string') throw badJson('aliases must be strings');
    if (known.has(name)) return [];
    if (!isRoomAlias(name)) throw invalidParam(`${name} is not a room alias`);
    return [name];
  });
}

/** The same without these aliases; the content itself when it names none of them. */
export function withoutAliases(content: JsonObject, removed: ReadonlySet<JsonValue>): JsonObject {
  if (!namesIn(content).some((name) => removed.has(name))) return content;
  const { alias, alt_aliases: alternatives, ...rest } = content;
  const others = Array.isArray(alternatives) ? alternatives.filter((name: JsonValue) => !removed.has(name)) : [];
  return {
    ...rest,
    ...(alias === undefined || removed.has(alias) ? {} : { alias }),
    ...(others.length === 0 ? {} : { alt_aliases: others }),
  };
}

export const badAlias = (alias: string): MatrixError =>
  new MatrixError(400, 'M_BAD_ALIAS', `The alias ${alias} does not lead to this room`);

function namesIn({ alias, alt_aliases: alternatives }: JsonObject): JsonValue[] {
  const others: readonly JsonValue[] = Array.isArray(alternatives) ? alternatives : [];
  return alias === undefined || alias === null || alias === '' ? [...others] : [alias, ...others];
}
