/**
 * Keeps the forward extremities of rooms few. Servers that do not see each other leave one each, and hostile ones as many as
 * they like; every one of them costs with each event. Whoever sends next ties up to twenty of them together, but in a room
 * where nobody here speaks that would be never: then an event without content does it.
 */
import { requiredPowerLevelFor } from '../matrix/event-auth/power-levels.ts';
import { limits } from '../platform/limits.ts';
import { findAbleMember } from './able-member.ts';
import { appendLocalEvent } from './append-local-event.ts';
import { type RoomsContext, serverOf } from './context.ts';

/** What other servers send to the same end, so that clients know to hide it. */
const tieType = 'org.matrix.dummy_event';

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
    while (dag.frontier().extremities > limits.extremitiesMax) {
      const sender = await findAbleMember(ctx, dag, (levels) =>
        requiredPowerLevelFor(tieType, false, levels, dag.rules),
      );
      if (sender === undefined) return;
      await appendLocalEvent(ctx, dag, { type: tieType, sender, content: {} }, { isAutomatic: true });
    }
  });
}
