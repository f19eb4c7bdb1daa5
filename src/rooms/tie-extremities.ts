/**
 * Keeps the forward extremities of rooms few. Servers that do not see each other leave one each, and hostile ones as many as
 * they like; every one of them costs with each event. Whoever sends next ties up to twenty of them together, but in a room
 * where nobody here speaks that would be never: then an event without content does it.
 */
import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { isJsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { someJoinedUsersOf } from '../storage/stores/membership-store.ts';
import { appendLocalEvent } from './append-local-event.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';

/** What other servers send to the same end, so that clients know to hide it. */
const tieType = 'org.matrix.dummy_event';
const candidatesMax = 20;

/** Follows what comes from other servers until the answer is called. */
export function tieExtremities(
  ctx: RoomsContext,
  { onFailed }: { readonly onFailed: (error: unknown) => void },
): () => void {
  const pending = new Set<number>();
  return ctx.db.onCommitted(({ wakes }) => {
    for (const wake of wakes) {
      if (wake.kind !== 'event' || ctx.localServers.isLocal(serverOf(wake.event.sender))) continue;
      const { room } = wake;
      if (pending.has(room)) continue;
      pending.add(room);
      tie(ctx, room)
        .catch(onFailed)
        .finally(() => pending.delete(room));
    }
  });
}

async function tie(ctx: RoomsContext, room: number): Promise<void> {
  const { roomId } = await ctx.dags.openByNid(room);
  await ctx.locks.run(roomId, async () => {
    const dag = await ctx.dags.open(roomId);
    while (dag.frontier().extremities > limits.extremitiesMax) if (!(await sendTie(ctx, dag))) return;
  });
}

/** Whether somebody here may send it. */
async function sendTie(ctx: RoomsContext, dag: RoomDag): Promise<boolean> {
  for (const sender of await candidates(ctx, dag)) {
    try {
      await appendLocalEvent(ctx, dag, { type: tieType, sender, content: {} }, { isAutomatic: true });
      return true;
    } catch (error) {
      if (!(error instanceof MatrixError) || error.errcode !== 'M_FORBIDDEN') throw error;
    }
  }
  return false;
}

/** Users of this server who are joined; first those of whom the power levels say that they may do more than others. */
async function candidates(ctx: RoomsContext, dag: RoomDag): Promise<Iterable<UserId>> {
  const levels = (await dag.currentEvent('m.room.power_levels', ''))?.content['users'];
  const named = isJsonObject(levels) ? Object.keys(levels).filter(isUserId) : [];
  const mighty = named.filter((userId) => ctx.localServers.isLocal(serverOf(userId))).slice(0, candidatesMax);
  const servers = await Promise.all(ctx.localServers.names().map((name) => ctx.names.serverNid(name)));
  const some = await ctx.db.all(someJoinedUsersOf, { room: dag.room, servers, limit: candidatesMax });
  return new Set([...mighty, ...some.map((row) => row.user_id as UserId)]);
}
