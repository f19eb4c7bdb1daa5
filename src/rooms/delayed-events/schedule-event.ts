/** Taking in an event that is to be sent later. https://github.com/matrix-org/matrix-spec-proposals/pull/4140 (MSC4140) */
import { MatrixError, forbidden, tooLarge } from '../../matrix/errors.ts';
import { eventBytesMax } from '../../matrix/events/check-pdu-format.ts';
import { fitsIdentifier } from '../../matrix/ids/identifier-size.ts';
import type { RoomId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import {
  delayedEventOfTransaction,
  deleteOldestFinalised,
  insertDelayedEvent,
  scheduledOfUser,
} from '../../storage/stores/delayed-event-store.ts';
import { assertSendable } from '../check-drafts.ts';
import { type Actor, type ClientTransaction, type RoomsContext, randomOpaqueId } from '../context.ts';
import { openJoinedRoom } from '../membership.ts';

export interface DelayedEventLimits {
  readonly delayMsMax: number;
  /** Of one user at once; 0: nobody may schedule any. */
  readonly scheduledMax: number;
}

export interface DelayRequest {
  readonly roomId: RoomId;
  readonly type: string;
  /** undefined: no state event. */
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  readonly delayMs: number;
  readonly stickyMs: number | undefined;
  /** A repeated one gets the first one's answer. */
  readonly transaction: ClientTransaction | undefined;
}
export interface Scheduled {
  readonly delayId: string;
  readonly room: number;
  /** undefined: the request was a repeated one. */
  readonly sendAt: number | undefined;
}

/**
 * To be called one at a time per user. Whether the event is allowed is asked when it is sent.
 * Errors: M_FORBIDDEN (a delay that is too long, too, and a room that the user is not in), M_LIMIT_EXCEEDED, M_TOO_LARGE.
 */
export async function scheduleEvent(
  ctx: RoomsContext,
  bounds: DelayedEventLimits,
  actor: Actor,
  request: DelayRequest,
): Promise<Scheduled> {
  const { room } = await openJoinedRoom(ctx, actor.userId, request.roomId);
  const earlier = await earlierDelayId(ctx, request.transaction);
  if (earlier !== undefined) return { delayId: earlier, room, sendAt: undefined };
  const content = checkedContent(request);
  await assertWithin(ctx, bounds, actor, request);
  const delayId = randomOpaqueId(ctx.random);
  const scheduledAt = ctx.clock.nowMs();
  const sendAt = scheduledAt + request.delayMs;
  const { transaction } = request;
  const row = {
    delayId,
    user: actor.userNid,
    room,
    type: request.type,
    stateKey: request.stateKey ?? null,
    content,
    stickyMs: request.stickyMs ?? null,
    delayMs: request.delayMs,
    scheduledAt,
    sendAt,
    device: transaction?.deviceNid ?? actor.deviceNid,
    path: transaction?.path ?? null,
    txn: transaction?.txnId ?? null,
  };
  await ctx.db.write((unit) => {
    unit.run(insertDelayedEvent, row);
    unit.run(deleteOldestFinalised, { user: actor.userNid, kept: limits.finalisedDelayedEventsMax });
  }).committed;
  return { delayId, room, sendAt };
}

async function earlierDelayId(
  ctx: RoomsContext,
  transaction: ClientTransaction | undefined,
): Promise<string | undefined> {
  if (transaction === undefined) return undefined;
  const { deviceNid: device, path, txnId: txn } = transaction;
  return (await ctx.db.one(delayedEventOfTransaction, { device, path, txn }))?.delay_id;
}

/** As JSON text. */
function checkedContent({ type, stateKey, content }: DelayRequest): string {
  if (!fitsIdentifier(type) || (stateKey !== undefined && !fitsIdentifier(stateKey)))
    throw tooLarge('An event type or state key has at most 255 bytes');
  assertSendable({ type, ...(stateKey === undefined ? {} : { stateKey }) });
  const text = JSON.stringify(content);
  if (Buffer.byteLength(text) > eventBytesMax) throw tooLarge('The content is too large for an event');
  return text;
}

async function assertWithin(
  ctx: RoomsContext,
  { delayMsMax, scheduledMax }: DelayedEventLimits,
  { userNid: user }: Actor,
  { delayMs }: DelayRequest,
): Promise<void> {
  if (scheduledMax === 0) throw forbidden('This server sends no events later');
  if (delayMs > delayMsMax) throw new DelayTooLong(delayMsMax);
  const scheduled = await ctx.db.all(scheduledOfUser, { user, limit: scheduledMax });
  const [next] = scheduled;
  if (next === undefined || scheduled.length < scheduledMax) return;
  throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'The maximum number of delayed events has been reached', {
    retry_after_ms: Math.max(1, next.send_at - ctx.clock.nowMs()),
    'org.matrix.msc4140.errcode': 'M_MAX_DELAYED_EVENTS_EXCEEDED',
  });
}

/** 403 M_FORBIDDEN. Clients of an earlier version of the proposal want it told otherwise. */
export class DelayTooLong extends MatrixError {
  constructor(delayMsMax: number) {
    super(403, 'M_FORBIDDEN', `An event can be delayed by at most ${delayMsMax} ms`, {
      'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED',
      'org.matrix.msc4140.max_delay': delayMsMax,
    });
  }
}
