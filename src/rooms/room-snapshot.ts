/**
 * One room's state and newest events at once, for members, for who has left, and for whoever peeks.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync
 */
import type { RoomId } from '../matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { accountDataOfRoom } from '../storage/stores/account-data-store.ts';
import { clientEvents } from './client-events.ts';
import type { Actor, RoomsContext } from './context.ts';
import { directoryVisibility } from './directory/public-rooms.ts';
import { formatRoomsToken } from './pagination-token.ts';
import { openWhole, stateRows, viewer } from './read-state.ts';
import { readMessages } from './read-timeline.ts';

/** `messages.end` is a token for the stream of events, too. Errors: M_FORBIDDEN. */
export async function readSnapshot(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  limit: number,
): Promise<JsonObject> {
  const opened = await openWhole(ctx, actor, roomId);
  const { dag, access, pos } = opened;
  const end = formatRoomsToken(pos);
  const page = await readMessages(ctx, actor, roomId, { dir: 'b', from: end, limit });
  const state = await clientEvents(ctx, await stateRows(ctx, dag, pos, 'all'), await viewer(ctx, actor, opened));
  const kept = await ctx.db.all(accountDataOfRoom, { user: actor.userNid, room: dag.room });
  return {
    room_id: roomId,
    ...(isNamed(access.membership) ? { membership: access.membership } : {}),
    messages: {
      ...(page['end'] === undefined ? {} : { start: page['end'] }),
      end,
      chunk: (page['chunk'] as readonly JsonObject[]).toReversed(),
    },
    state,
    visibility: await directoryVisibility(ctx, roomId),
    account_data: kept.flatMap(({ type, json }) =>
      json === null ? [] : [{ type, content: JSON.parse(json) as JsonValue }],
    ),
  };
}

/** Memberships that this older form has a word for. */
function isNamed(membership: string | undefined): membership is string {
  return membership !== undefined && membership !== 'knock';
}
