/** Judging events again, with all that must be true together with what changes. */
import type { EventId } from '../matrix/ids/ids.ts';
import type { UnitBuilder } from '../storage/database.ts';
import type { RoomsContext } from './context.ts';
import { MissingEvents, type Placed, type RejudgeOptions, type Rejudged, type RoomDag } from './dag/contract.ts';
import { TooManyChanges } from './dag/lines.ts';
import { mayCloseToGuests } from './guest-access.ts';
import { type MemberChange, applyMemberChange, memberChangesOf } from './member-changes.ts';
import { openingOf, writeOpening } from './open-rooms.ts';

/**
 * To be called with the room's lock held. It is on disk when `ticket.committed` of the answer resolves. undefined: parents of the
 * event are still missing, or too much came after it, so that it stays as it is.
 */
export async function rejudgeEvent(
  ctx: RoomsContext,
  dag: RoomDag,
  eventId: EventId,
  given?: ReadonlyMap<EventId, readonly EventId[]>,
): Promise<Rejudged | undefined> {
  try {
    return await dag.rejudge(eventId, given, rejudgeEffects(ctx, dag));
  } catch (error) {
    if (error instanceof MissingEvents || error instanceof TooManyChanges) return undefined;
    throw error;
  }
}

/** For `RoomDag.rejudge` and `RoomDag.fill`: who is in the room follows the current state. */
export function rejudgeEffects(ctx: RoomsContext, dag: RoomDag): Required<RejudgeOptions> {
  let members: readonly MemberChange[] = [];
  let opening: boolean | undefined;
  let guestAccessChanged = false;
  return {
    async prepare({ stateChanges }) {
      members = await memberChangesOf(ctx, dag, stateChanges);
      opening = await openingOf(dag, stateChanges);
      guestAccessChanged = mayCloseToGuests(stateChanges, undefined);
    },
    also(unit: UnitBuilder, outcome: Rejudged) {
      const { room } = dag;
      const place = placeOf(dag, outcome);
      for (const member of members) applyMemberChange(unit, member, place);
      if (opening !== undefined) writeOpening(unit, room, opening);
      if (guestAccessChanged) unit.wake({ kind: 'guest-access', room });
    },
  };
}

/** Memberships stand at the position of the unit. */
function placeOf(dag: RoomDag, { pos, stateChanges }: Rejudged): Placed {
  return {
    room: dag.room,
    nid: 0,
    pos,
    ord: null,
    notifySeq: dag.notifySeq(),
    verdict: { ok: true },
    softFailed: false,
    stateChanges,
    ticket: undefined,
  };
}
