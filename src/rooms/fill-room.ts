/** A room that was joined before its members were known gets its whole state. */
import type { EventId } from '../matrix/ids/ids.ts';
import type { RoomsContext } from './context.ts';
import type { Rejudged } from './dag/contract.ts';
import type { PartialRoom } from './partial-rooms.ts';
import { rejudgeEffects } from './rejudge-event.ts';

/**
 * `state`: the events of the room's state before our join, each stored already. Our join and all that came after it are judged again,
 * and who is in the room follows. To be called without the room's lock; on disk when it resolves. undefined: the room was left,
 * or joined anew, meanwhile.
 */
export async function fillRoom(
  ctx: RoomsContext,
  { room, joinId }: PartialRoom,
  state: readonly EventId[],
): Promise<Rejudged | undefined> {
  const { dags, locks, partialRooms } = ctx;
  const { roomId } = await dags.openByNid(room);
  const current = (): PartialRoom | undefined => {
    const entry = partialRooms.find(room);
    return entry?.joinId === joinId && entry.filledPos === undefined ? entry : undefined;
  };
  if (current() === undefined) return undefined;
  const laid = await (await dags.openByNid(room)).layFullState(state);
  const filled = await locks.run(roomId, async () => {
    const entry = current();
    if (entry === undefined) return undefined;
    const dag = await dags.openByNid(room);
    const effects = rejudgeEffects(ctx, dag);
    const outcome = await dag.fill(laid, {
      ...effects,
      also(unit, rejudged) {
        effects.also(unit, rejudged);
        partialRooms.writeFilled(unit, entry, rejudged.pos);
      },
    });
    effects.handedIn(outcome);
    return outcome;
  });
  await filled?.ticket?.committed;
  return filled;
}
