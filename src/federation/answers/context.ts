/** What the answers to other servers work with. */
import { forbidden, MatrixError } from '../../matrix/errors.ts';
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { Clock } from '../../platform/ports.ts';
import { type RoomsContext, serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { isJoinedIn } from '../../rooms/residence.ts';
import { usersOfServerInRoom } from '../../storage/stores/room-server-store.ts';
import { eventById } from '../../storage/stores/timeline-store.ts';
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

/** A room that another server asks about, and that it is in, or was in when what it asks about happened. */
export interface AskedRoom {
  readonly dag: RoomDag;
  readonly server: ServerName;
  readonly serverNid: number;
}

/**
 * `about`: the events that are asked about. A server whose last user was put out needs what came before that, or it never learns of it:
 * it may ask about what happened while it was in the room. Absent: only who is in the room may ask.
 * Throws M_FORBIDDEN where the server may not, or is shut out by the room's access control list, whether or not the room is
 * known here; M_UNABLE_DUE_TO_PARTIAL_STATE as long as that cannot be told.
 */
export async function openFor(
  ctx: AnswersContext,
  { origin }: RequestingServer,
  roomId: RoomId,
  about: readonly EventId[] = [],
): Promise<AskedRoom> {
  const dag = await ctx.rooms.dags.find(roomId);
  if (dag === undefined) throw notInRoom();
  return admit(ctx, origin, dag, about);
}

/** Throws as `openFor`. */
export async function admit(
  ctx: AnswersContext,
  server: ServerName,
  dag: RoomDag,
  about: readonly EventId[],
): Promise<AskedRoom> {
  const { rooms } = ctx;
  if (!(await isAllowedIn(dag, server))) throw forbidden('The room does not let your server take part');
  const serverNid = await rooms.names.findServerNid(server);
  if (serverNid !== undefined && (await isJoinedIn(rooms, dag.room, [serverNid]))) return { dag, server, serverNid };
  if (dag.isPartial()) {
    if (serverNid !== undefined && (await rooms.partialRooms.isSaidToBeIn(dag.room, serverNid)))
      return { dag, server, serverNid };
    throw unableForNow('This server does not know yet who is in the room');
  }
  if (serverNid === undefined || about.length === 0) throw notInRoom();
  const asked = { dag, server, serverNid };
  if (!(await wasPutOut(ctx, asked)) || !(await wasThere(ctx, asked, about))) throw notInRoom();
  return asked;
}

/** Who leaves by themselves knows it. */
async function wasPutOut({ rooms }: AnswersContext, { dag, server, serverNid }: AskedRoom): Promise<boolean> {
  const rows = await rooms.db.all(usersOfServerInRoom, {
    room: dag.room,
    server: serverNid,
    limit: usersOfLeftRoomMax,
  });
  for (const userId of await rooms.names.userIds(rows.map((row) => row.user_nid))) {
    const membership = await dag.currentEvent('m.room.member', userId);
    if (membership !== undefined && serverOf(membership.sender) !== server) return true;
  }
  return false;
}

async function wasThere(ctx: AnswersContext, asked: AskedRoom, about: readonly EventId[]): Promise<boolean> {
  if (about.length > eventsOfLeftRoomMax) return false;
  const rows = await Promise.all(about.map((eventId) => ctx.rooms.db.one(eventById, { eventId })));
  const ofRoom = rows.flatMap((row) => (row === undefined || row.room !== asked.dag.room ? [] : [row]));
  return ofRoom.length === about.length && (await ctx.visibility.wasJoinedAt(asked, ofRoom));
}
/** Who was put out asks about few events; and so many of their users are looked at. */
const eventsOfLeftRoomMax = 20;
const usersOfLeftRoomMax = 100;

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3895 */
export const unableForNow = (message: string): MatrixError =>
  new MatrixError(403, 'M_UNABLE_DUE_TO_PARTIAL_STATE', message);

const notInRoom = (): MatrixError => forbidden('Your server is not in the room');
