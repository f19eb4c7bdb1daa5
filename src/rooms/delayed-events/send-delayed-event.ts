/** Sending what was scheduled, as its owner would send it now. */
import { MatrixError } from '../../matrix/errors.ts';
import type { EventId, RoomId, UserId } from '../../matrix/ids/ids.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { type DelayedEventRow, finaliseDelayedEvent } from '../../storage/stores/delayed-event-store.ts';
import type { RoomsContext } from '../context.ts';
import type { Senders } from '../ports.ts';
import { type SendOptions, sendMessage, sendState } from '../send-event.ts';
import { contentOf } from './delayed-event-form.ts';

/**
 * The event and that it was sent are one unit, so that it is sent once whatever happens. To be called while nobody else
 * changes the delayed event. Errors: as of the endpoints that send, and as `Senders`.
 */
export async function sendDelayedEvent(ctx: RoomsContext, senders: Senders, row: DelayedEventRow): Promise<void> {
  const actor = { userId: row.user_id as UserId, userNid: row.user_nid, deviceNid: row.device };
  await senders.assertMaySend(actor);
  let isFinalised = false;
  const finalised = (nid: number | null, eventId: EventId | null) => ({
    delayId: row.delay_id,
    ts: ctx.clock.nowMs(),
    nid,
    eventId,
    error: null,
  });
  const options: SendOptions = {
    marks: EventFlag.delayed,
    stickyMs: row.sticky_ms ?? undefined,
    also(unit, { nid }, eventId) {
      isFinalised = true;
      unit.run(finaliseDelayedEvent, finalised(nid, eventId), { changes: 1 });
    },
  };
  const request = { roomId: row.room_id as RoomId, type: row.type, content: contentOf(row), ...options };
  const eventId =
    row.state_key === null
      ? await sendMessage(ctx, actor, request)
      : await sendState(ctx, actor, { ...request, stateKey: row.state_key });
  // The state was so already.
  if (!isFinalised)
    await ctx.db.write((unit) => unit.run(finaliseDelayedEvent, finalised(null, eventId), { changes: 1 })).committed;
}

/** Of a delayed event that will not be sent. `error`: why it could not be; undefined: nobody wants it any more. */
export async function cancelDelayedEvent(
  ctx: RoomsContext,
  delayId: string,
  error: MatrixError | undefined,
): Promise<void> {
  const row = {
    delayId,
    ts: ctx.clock.nowMs(),
    nid: null,
    eventId: null,
    error: error === undefined ? null : JSON.stringify(error.body()),
  };
  await ctx.db.write((unit) => unit.run(finaliseDelayedEvent, row, { changes: 1 })).committed;
}
