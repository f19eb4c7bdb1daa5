/** Forgetting a room that one has left. https://spec.matrix.org/v1.19/client-server-api/#leaving-rooms */
import { MatrixError } from '../matrix/errors.ts';
import type { RoomId } from '../matrix/ids/ids.ts';
import { forgetRoom as markForgotten } from '../storage/stores/membership-store.ts';
import type { Actor, RoomsContext } from './context.ts';
import { memberOf, membershipIn } from './membership.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** A local user has forgotten a room. */
    forgotten: { room: number; userNid: number };
  }
}

/**
 * From now on the room is for the user as for somebody who never was in it, until they join, are invited or knock. A room
 * that the user never had to do with is forgotten already. Errors: 400 M_UNKNOWN while they are joined, invited or knock.
 */
export async function forgetRoom(ctx: RoomsContext, actor: Actor, roomId: RoomId): Promise<void> {
  const written = await ctx.locks.run(roomId, async () => {
    const dag = await ctx.dags.find(roomId);
    const membership = dag && membershipIn(await memberOf(dag, actor.userId));
    if (dag === undefined || membership === undefined) return undefined;
    if (membership !== 'leave' && membership !== 'ban')
      throw new MatrixError(400, 'M_UNKNOWN', `You have not left the room ${roomId}`);
    return ctx.db.write((unit) => {
      unit.run(markForgotten, { user: actor.userNid, room: dag.room });
      unit.wake({ kind: 'forgotten', room: dag.room, userNid: actor.userNid });
    });
  });
  await written?.committed;
}
