/** Judging events again, with all that must be true together with what changes. */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { insertWaitingRedaction } from '../storage/stores/waiting-redaction-store.ts';
import type { RoomsContext } from './context.ts';
import { MissingEvents, type Placed, type RejudgeOptions, type Rejudged, type RoomDag } from './dag/contract.ts';
import { TooManyChanges } from './dag/lines.ts';
import { mayCloseToGuests } from './guest-access.ts';
import { type MemberChange, applyMemberChange, memberChangesOf } from './member-changes.ts';
import { openingOf, writeOpening } from './open-rooms.ts';
import { type AwaitedTarget, type Redaction, redactStored, redactionOf, tellRedaction } from './redaction.ts';

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
    const effects = rejudgeEffects(ctx, dag);
    const outcome = await dag.rejudge(eventId, given, effects);
    effects.handedIn(outcome);
    return outcome;
  } catch (error) {
    if (error instanceof MissingEvents || error instanceof TooManyChanges) return undefined;
    throw error;
  }
}

export interface RejudgeEffects extends Required<RejudgeOptions> {
  /** To be called once the unit is handed in. */
  handedIn(outcome: Rejudged): void;
}

/** For `RoomDag.rejudge` and `RoomDag.fill`: who is in the room follows the current state, and redactions that count now take effect. */
export function rejudgeEffects(ctx: RoomsContext, dag: RoomDag): RejudgeEffects {
  let members: readonly MemberChange[] = [];
  let opening: boolean | undefined;
  let guestAccessChanged = false;
  let redactions = new Map<number, Redaction | AwaitedTarget>();
  return {
    async prepare({ stateChanges, accepted }) {
      members = await memberChangesOf(ctx, dag, stateChanges);
      opening = await openingOf(dag, stateChanges);
      guestAccessChanged = mayCloseToGuests(stateChanges, undefined);
      redactions = await redactionsAmong(ctx, dag, accepted);
    },
    also(unit: UnitBuilder, outcome: Rejudged) {
      const { room } = dag;
      const place = placeOf(dag, outcome);
      for (const member of members) applyMemberChange(unit, member, place);
      if (opening !== undefined) writeOpening(unit, room, opening);
      if (guestAccessChanged) unit.wake({ kind: 'guest-access', room });
      for (const [nid, redaction] of visibleOf(outcome, redactions))
        if ('awaited' in redaction) unit.run(insertWaitingRedaction, { room, targetId: redaction.awaited, nid });
        else redactStored(unit, redaction, nid);
    },
    handedIn(outcome) {
      for (const [, redaction] of visibleOf(outcome, redactions))
        if ('awaited' in redaction) ctx.waitingRedactions.add(dag.room, redaction.awaited);
        else tellRedaction(ctx, dag, redaction, outcome.ticket);
    },
  };
}

/** By their numbers; for each target the first. */
async function redactionsAmong(
  ctx: RoomsContext,
  dag: RoomDag,
  accepted: readonly { readonly nid: number; readonly event: RoomEvent }[],
): Promise<Map<number, Redaction | AwaitedTarget>> {
  const redactions = new Map<number, Redaction | AwaitedTarget>();
  const targets = new Set<EventId>();
  for (const { nid, event } of accepted) {
    if (event.redacts === undefined || targets.has(event.redacts)) continue;
    const redaction = await redactionOf(ctx, dag, event);
    if (redaction === undefined) continue;
    redactions.set(nid, redaction);
    targets.add(event.redacts);
  }
  return redactions;
}

function visibleOf<T>({ accepted }: Rejudged, redactions: ReadonlyMap<number, T>): (readonly [number, T])[] {
  return accepted.flatMap(({ nid, ord }) => {
    const redaction = redactions.get(nid);
    return ord === null || redaction === undefined ? [] : [[nid, redaction] as const];
  });
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
