/**
 * Users of this server who may have nothing to do with others: they and users of other servers are never in a room together.
 * Who is in a room already when the rights change stays there.
 */
import type { UserId } from '../matrix/ids/ids.ts';
import { membersOf } from '../storage/stores/membership-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { otherServersIn } from './residence.ts';

type Asking = Pick<RoomsContext, 'db' | 'names' | 'localServers' | 'federationRights'>;

/** Before a local user comes into the room, or is invited. Throws 403 M_FORBIDDEN where others are in it. */
export async function assertMayEnter(ctx: Asking, dag: RoomDag, userId: UserId): Promise<void> {
  const rights = ctx.federationRights;
  if (rights === undefined || rights.mayFederate(userId)) return;
  if ((await otherServersIn(ctx, dag.room, 1)).length > 0) rights.assertMayFederate(userId, 'outgoing');
}

/**
 * Before the first user of another server comes into a room of ours, or is invited. Throws 403 M_FORBIDDEN where the room
 * does not federate, or somebody of ours is in it who may not meet them. Where other servers are in it already it was decided when they came.
 */
export async function assertOpenToOthers(ctx: Asking, dag: RoomDag, direction: 'incoming' | 'outgoing'): Promise<void> {
  const rights = ctx.federationRights;
  if (rights === undefined) return;
  const create = await dag.currentEvent('m.room.create', '');
  if (create?.content['m.federate'] === false) rights.refuseRoom(direction, 'room_not_federated');
  if (!rights.isRestricted || (await otherServersIn(ctx, dag.room, 1)).length > 0) return;
  for (const membership of ['join', 'invite']) {
    const rows = await ctx.db.all(membersOf, { room: dag.room, membership, limit: membersMax });
    const members = await ctx.names.userIds(rows.map((row) => row.user_nid));
    const isKept = (userId: UserId): boolean =>
      ctx.localServers.isLocal(serverOf(userId)) && !rights.mayFederate(userId);
    if (members.some(isKept)) rights.refuseRoom(direction, 'user_not_allowed');
  }
}

const membersMax = 1_000_000;
