import { forbidden, type MatrixError, notFound } from '../../matrix/errors.ts';
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { type RoomsContext, serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { isResident } from '../../rooms/residence.ts';
import { isAllowedIn } from '../room-acl.ts';

/**
 * A room into which this server may help users of another one. Throws M_NOT_FOUND where nobody of ours is in the room, and as
 * long as its state is not known whole; M_FORBIDDEN where its access control list shuts the other server out.
 */
export async function openResidentRoom(ctx: RoomsContext, origin: ServerName, roomId: RoomId): Promise<RoomDag> {
  const dag = await ctx.dags.find(roomId);
  if (dag === undefined || dag.isPartial() || !(await isResident(ctx, dag.room))) throw unknownRoom();
  const create = await dag.currentEvent('m.room.create', '');
  if (create?.content['m.federate'] === false && serverOf(create.sender) !== origin) {
    ctx.federationRights?.refuseRoom('incoming', 'room_not_federated');
    throw forbidden('The room is for users of its own server only');
  }
  if (!(await isAllowedIn(dag, origin))) throw forbidden('The room does not let your server take part');
  return dag;
}

const unknownRoom = (): MatrixError => notFound('This server is not in the room');
