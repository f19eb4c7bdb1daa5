/** The summary of one room. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias */
import { notFound } from '../../matrix/errors.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { RoomsContext } from '../context.ts';
import { type RoomPreview, type Visitor, loadPreviews } from './room-previews.ts';

/**
 * With the visitor's membership, where they have a token. Throws M_NOT_FOUND, for rooms that they may not be told of as for
 * those that are not known here. Servers that might know more are not asked yet.
 */
export async function summariseRoom(
  ctx: RoomsContext,
  visitor: Visitor,
  roomId: RoomId,
): Promise<RoomPreview & { readonly membership?: string }> {
  const dag = await ctx.dags.find(roomId);
  const found = dag && (await loadPreviews(ctx, visitor, [dag.room])).get(dag.room);
  if (found === undefined) throw notFound('There is no such room, or you may not see it');
  return { ...found.preview, ...(visitor === undefined ? {} : { membership: found.membership ?? 'leave' }) };
}
