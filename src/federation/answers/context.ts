/** What the answers to other servers work with. */
import { forbidden, MatrixError } from '../../matrix/errors.ts';
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { Clock } from '../../platform/ports.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { isJoinedIn } from '../../rooms/residence.ts';
import type { RequestingServer } from '../contract.ts';
import { isAllowedIn } from '../room-acl.ts';
import type { ServerVisibility } from './server-visibility.ts';
import type { StatesAtEvents } from './states-at-events.ts';

export interface AnswersContext {
  readonly rooms: RoomsContext;
  readonly clock: Clock;
  readonly visibility: ServerVisibility;
  readonly states: StatesAtEvents;
  /** Lets other work go on in the middle of a long answer. */
  readonly pause: () => Promise<void>;
}

/** A room that another server asks about, and that it is in. */
export interface AskedRoom {
  readonly dag: RoomDag;
  readonly server: ServerName;
  readonly serverNid: number;
}

/**
 * Throws M_FORBIDDEN where the server is not in the room or shut out by its access control list, whether or not the room is
 * known here; M_UNABLE_DUE_TO_PARTIAL_STATE as long as that cannot be told.
 */
export async function openFor(ctx: AnswersContext, { origin }: RequestingServer, roomId: RoomId): Promise<AskedRoom> {
  const dag = await ctx.rooms.dags.find(roomId);
  if (dag === undefined) throw notInRoom();
  return admit(ctx, origin, dag);
}

/** Throws as `openFor`. */
export async function admit({ rooms }: AnswersContext, server: ServerName, dag: RoomDag): Promise<AskedRoom> {
  if (!(await isAllowedIn(dag, server))) throw forbidden('The room does not let your server take part');
  const serverNid = await rooms.names.findServerNid(server);
  if (serverNid !== undefined && (await isJoinedIn(rooms, dag.room, [serverNid]))) return { dag, server, serverNid };
  if (!dag.isPartial()) throw notInRoom();
  if (serverNid !== undefined && (await rooms.partialRooms.serverNids(dag.room)).includes(serverNid))
    return { dag, server, serverNid };
  throw unableForNow('This server does not know yet who is in the room');
}

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3895 */
export const unableForNow = (message: string): MatrixError =>
  new MatrixError(403, 'M_UNABLE_DUE_TO_PARTIAL_STATE', message);

const notInRoom = (): MatrixError => forbidden('Your server is not in the room');
