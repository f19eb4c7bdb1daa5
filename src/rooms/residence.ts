/** Which servers are in a room: those with joined users. */
import type { ServerName } from '../matrix/ids/ids.ts';
import { serversInRoom } from '../storage/stores/membership-store.ts';
import { serverJoinedIn } from '../storage/stores/room-server-store.ts';
import type { RoomsContext } from './context.ts';

type Asking = Pick<RoomsContext, 'db' | 'names' | 'localServers'>;

/** Whether somebody of ours is joined, so that this server takes part in the room. */
export async function isResident(ctx: Asking, room: number): Promise<boolean> {
  return isJoinedIn(ctx, room, await ctx.names.serverNids(ctx.localServers.names()));
}

/** Whether one of the servers has joined users, as far as is known here. */
export async function isJoinedIn(
  { db }: Pick<Asking, 'db'>,
  room: number,
  servers: readonly number[],
): Promise<boolean> {
  return (await db.one(serverJoinedIn, { room, servers })) !== undefined;
}

/** Servers with joined users, as far as is known here, those with the most first; none of ours. */
export async function otherServersIn(ctx: Asking, room: number, max: number): Promise<ServerName[]> {
  const limit = max + ctx.localServers.names().length;
  const rows = await ctx.db.all(serversInRoom, { room, limit });
  const names = rows.map(({ name }) => name as ServerName);
  return names.filter((name) => !ctx.localServers.isLocal(name)).slice(0, max);
}
