/** What a client may not set through the state endpoint although the authorisation rules would let it. */
import { MatrixError, badJson, forbidden } from '../matrix/errors.ts';
import { isRoomAlias } from '../matrix/ids/room-id.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { roomOfAlias } from '../storage/stores/room-directory-store.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';

interface StateToCheck {
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
}

/** Errors: M_FORBIDDEN for a second create event, M_INVALID_PARAM and M_BAD_ALIAS for aliases that do not lead here. */
export async function checkStateEvent(ctx: RoomsContext, dag: RoomDag, state: StateToCheck): Promise<void> {
  if (state.type === 'm.room.create') throw forbidden('A room has one create event');
  if (state.type === 'm.room.canonical_alias' && state.stateKey === '') await checkAliases(ctx, dag, state.content);
}

/**
 * Aliases that were named before may stay even if they lead nowhere by now; new ones must lead to this room.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey
 */
async function checkAliases(ctx: RoomsContext, dag: RoomDag, content: JsonObject): Promise<void> {
  const known = new Set(aliasesIn((await dag.currentEvent('m.room.canonical_alias', ''))?.content ?? {}));
  for (const alias of aliasesIn(content)) {
    if (typeof alias !== 'string') throw badJson('aliases must be strings');
    if (known.has(alias)) continue;
    if (!isRoomAlias(alias)) throw new MatrixError(400, 'M_INVALID_PARAM', `${alias} is not a room alias`);
    const row = await ctx.db.one(roomOfAlias, { alias });
    if (row?.room_id !== dag.roomId)
      throw new MatrixError(400, 'M_BAD_ALIAS', `The alias ${alias} does not lead to this room`);
  }
}

function aliasesIn(content: JsonObject): JsonValue[] {
  const { alias, alt_aliases: alternatives } = content;
  if (alternatives !== undefined && !Array.isArray(alternatives)) throw badJson('alt_aliases must be an array');
  const others: readonly JsonValue[] = alternatives ?? [];
  return alias === undefined || alias === null || alias === '' ? [...others] : [alias, ...others];
}
