/** The summary of one room. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias */
import { notFound } from '../../matrix/errors.ts';
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { candidateServers } from '../candidate-servers.ts';
import type { Actor, RoomsContext } from '../context.ts';
import type { RoomDag } from '../dag/contract.ts';
import { isResident } from '../residence.ts';
import { type RoomPreview, loadPreviews } from './room-previews.ts';
import { RoomsElsewhere } from './rooms-elsewhere.ts';

/**
 * With the visitor's membership, where they have a token. Of a room that nobody of ours is in, other servers are asked, those in
 * `via` first, but for users only. Throws M_NOT_FOUND, for rooms that they may not be told of as for those that nobody knows.
 */
export async function summariseRoom(
  ctx: RoomsContext,
  visitor: Actor | undefined,
  roomId: RoomId,
  via: readonly ServerName[] = [],
): Promise<RoomPreview & { readonly membership?: string }> {
  const dag = await ctx.dags.find(roomId);
  const found = (await toldElsewhere(ctx, visitor, { roomId, via, dag })) ?? (await knownHere(ctx, visitor, dag));
  if (found === undefined) throw notFound('There is no such room, or you may not see it');
  return { ...found.preview, ...(visitor === undefined ? {} : { membership: found.membership ?? 'leave' }) };
}

async function knownHere(ctx: RoomsContext, visitor: Actor | undefined, dag: RoomDag | undefined) {
  return dag && (await loadPreviews(ctx, visitor, [dag.room])).get(dag.room);
}

async function toldElsewhere(
  ctx: RoomsContext,
  visitor: Actor | undefined,
  {
    roomId,
    via,
    dag,
  }: { readonly roomId: RoomId; readonly via: readonly ServerName[]; readonly dag: RoomDag | undefined },
) {
  if (visitor === undefined || (dag !== undefined && (await isResident(ctx, dag.room)))) return undefined;
  const servers = await candidateServers(ctx, roomId, dag, visitor.userId, via);
  const others = new RoomsElsewhere(ctx, visitor, { isContinued: false });
  return (await others.look([{ roomId, servers, told: undefined }])).get(roomId);
}
