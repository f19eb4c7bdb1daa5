/** The middle of the journey of an event that another server made: judge, store, and all that must be true together with it. */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { Placed, ReceiveOptions, RoomDag } from './dag/contract.ts';
import { prepareEffects } from './event-effects.ts';
import { policed } from './policy-servers.ts';
import { redactedOnArrival } from './waiting-redactions.ts';
import { sendOut } from './outgoing-event.ts';

/** An event that has passed the checks which need nothing but keys. */
export interface CheckedEvent {
  readonly event: RoomEvent;
  /** The exact canonical JSON to keep. */
  readonly body: string;
}

/**
 * To be called with the room's lock held. The event is on disk when `ticket.committed` of the answer resolves; the lock may be
 * given back before. What the room's policy server does not sign is soft-failed. With `EventFlag.sentOn` among its `marks` it goes to the other servers in the room.
 * Throws MissingEvents, as `RoomDag.receive` does.
 */
export async function receiveEvent(
  ctx: RoomsContext,
  dag: RoomDag,
  given: CheckedEvent,
  options: Omit<ReceiveOptions, 'local' | 'notifies' | 'prepare'> = {},
): Promise<Placed> {
  // What is history, and how somebody of ours comes in, is judged by what the room was or nobody here knew of yet.
  const isJudged = options.backfill !== true && options.entering !== true;
  const { checked, denies } = isJudged ? await policed(ctx, dag, given) : { checked: given, denies: false };
  const redacted = await redactedOnArrival(ctx, dag, checked);
  const { event, body } = redacted ?? checked;
  const marks = redacted === undefined ? options.marks : (options.marks ?? 0) | EventFlag.redacted;
  const effects = await prepareEffects(ctx, dag, event, {
    marks,
    asSent: checked.event,
    isEntering: options.entering,
    isHistory: options.backfill,
  });
  const { also } = effects.options;
  const isSentOn = ((marks ?? 0) & EventFlag.sentOn) !== 0;
  const exceptServerNid = isSentOn ? await ctx.names.serverNid(serverOf(event.sender)) : undefined;
  // The two oldest room versions judge a redaction by what it redacts.
  const judged = event.type === 'm.room.redaction' ? checked.event : event;
  const placed = await dag.receive(judged, body, {
    ...options,
    ...(marks === undefined ? {} : { marks }),
    ...effects.options,
    ...(denies ? { policyDenies: true } : {}),
    also(unit, place) {
      if (isSentOn && place.ord !== null) sendOut(unit, place, { event, body, exceptServerNid });
      also(unit, place);
      redacted?.write(unit, place);
      options.also?.(unit, place);
    },
  });
  // What clients never see redacts nothing, and nothing relates to it.
  if (placed.ticket !== undefined && placed.ord !== null) effects.handedIn(placed);
  if (placed.ticket !== undefined && redacted !== undefined) dag.bodyReplaced(placed.nid, event);
  return placed;
}
