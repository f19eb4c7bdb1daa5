/** Forgetting the history of a room, as its operator may decide. */
import { MatrixError, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import { eventById } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import type { Purged } from './dag/contract.ts';

/**
 * Deletes what was stored in a room before an event, as far as nothing needs it: events of the current state stay, and so
 * do the event itself and all that came later. Nothing newer changes, unread counts included. It holds the room's lock:
 * who sends meanwhile waits. What an interrupted purge left is taken by the next one.
 * Errors: M_NOT_FOUND (room or event), M_BAD_STATE while the room's state is partial.
 */
export async function purgeHistory(ctx: RoomsContext, roomId: RoomId, before: EventId): Promise<Purged> {
  return ctx.locks.run(roomId, async () => {
    const dag = await ctx.dags.open(roomId);
    await ctx.db.drained();
    const row = await ctx.db.one(eventById, { eventId: before });
    if (row === undefined || row.room !== dag.room || row.pos === null)
      throw notFound(`${before} is not in the timeline of ${roomId}`);
    if (dag.isPartial()) throw new MatrixError(409, 'M_BAD_STATE', 'The state of this room is still being fetched');
    return dag.purge(row.pos);
  });
}
