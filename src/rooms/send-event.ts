/** Sending what is not a membership: messages, state, redactions. */
import { MatrixError, forbidden, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { canonicalJson } from '../matrix/json/canonical-json.ts';
import { type Appended, appendLocalEvent, underRoomLock } from './append-local-event.ts';
import type { EventDraft } from './build-event.ts';
import type { Actor, ClientTransaction, RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { assertMayRedact } from './redaction.ts';
import { checkStateEvent } from './state-event-checks.ts';
import { findStoredEvent } from './stored-event.ts';

export interface SendRequest {
  readonly roomId: RoomId;
  readonly type: string;
  readonly content: JsonObject;
  readonly transaction?: ClientTransaction;
  /** For application services only (`?ts=`). */
  readonly originServerTs?: number | undefined;
}

/**
 * `PUT /rooms/{roomId}/send/{eventType}/{txnId}`. A repeated transaction gets the first event's id.
 * Errors: M_FORBIDDEN, M_TOO_LARGE, M_BAD_JSON.
 */
export async function sendMessage(ctx: RoomsContext, actor: Actor, request: SendRequest): Promise<EventId> {
  const draft: EventDraft = { type: request.type, sender: actor.userId, content: request.content };
  if (request.type === 'm.room.redaction' && typeof request.content['redacts'] === 'string')
    return redactEvent(ctx, actor, { ...request, eventId: request.content['redacts'] as EventId });
  return sendOnce(ctx, request, (dag) =>
    appendLocalEvent(ctx, dag, draft, { transaction: request.transaction, originServerTs: request.originServerTs }),
  );
}

export interface RedactRequest {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly content: JsonObject;
  readonly transaction?: ClientTransaction;
  readonly originServerTs?: number | undefined;
}

/** `PUT /rooms/{roomId}/redact/{eventId}/{txnId}`. Errors: M_FORBIDDEN, M_NOT_FOUND. */
export async function redactEvent(ctx: RoomsContext, actor: Actor, request: RedactRequest): Promise<EventId> {
  return sendOnce(ctx, request, async (dag) => {
    const target = await findStoredEvent(ctx, request.eventId);
    if (target === undefined || target.header.room !== dag.room) throw notFound('There is no such event in this room');
    await assertMayRedact(dag, actor.userId, target.event);
    return appendLocalEvent(
      ctx,
      dag,
      { type: 'm.room.redaction', sender: actor.userId, content: request.content, redacts: request.eventId },
      { transaction: request.transaction, originServerTs: request.originServerTs },
    );
  });
}

export interface StateRequest {
  readonly roomId: RoomId;
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
  readonly originServerTs?: number | undefined;
}

/**
 * `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`. A state that is so already is not sent again: the event that made it
 * so is the answer.
 */
export async function sendState(ctx: RoomsContext, actor: Actor, request: StateRequest): Promise<EventId> {
  const sent = await underRoomLock(ctx, request.roomId, async () => {
    const dag = await openForSending(ctx, request.roomId);
    await checkStateEvent(ctx, dag, request);
    const current = await dag.currentEvent(request.type, request.stateKey);
    if (current?.sender === actor.userId && canonicalJson(current.content) === canonicalJson(request.content))
      return { event: current, placed: nothingPlaced };
    return appendLocalEvent(
      ctx,
      dag,
      { type: request.type, stateKey: request.stateKey, sender: actor.userId, content: request.content },
      { originServerTs: request.originServerTs },
    );
  });
  return sent.event.eventId;
}

/** M_FORBIDDEN, not M_NOT_FOUND: whether a room exists is no business of those who are not in it. */
export async function openForSending(ctx: RoomsContext, roomId: RoomId): Promise<RoomDag> {
  const dag = await ctx.dags.find(roomId);
  if (dag === undefined) throw forbidden('You are not in this room');
  return dag;
}

const nothingPlaced: Appended['placed'] = {
  room: 0,
  nid: 0,
  pos: 0,
  ord: null,
  notifySeq: 0,
  verdict: { ok: true },
  softFailed: false,
  stateChanges: [],
  ticket: undefined,
};

interface Once {
  readonly roomId: RoomId;
  readonly transaction?: ClientTransaction;
}

async function sendOnce(ctx: RoomsContext, request: Once, send: (dag: RoomDag) => Promise<Appended>): Promise<EventId> {
  // The room's lock also orders two arrivals of the same transaction; the first one's event may still be on its way to disk.
  const sent = await underRoomLock(ctx, request.roomId, async () => {
    const earlier = request.transaction && (await earlierEvent(ctx, request.transaction));
    if (earlier !== undefined) return { eventId: earlier, placed: nothingPlaced };
    const { event, placed } = await send(await openForSending(ctx, request.roomId));
    if (request.transaction !== undefined) ctx.transactions.add(request.transaction, event.eventId, placed);
    return { eventId: event.eventId, placed };
  });
  return sent.eventId;
}

async function earlierEvent(ctx: RoomsContext, transaction: ClientTransaction): Promise<EventId | undefined> {
  const earlier = await ctx.transactions.find(transaction);
  if (earlier !== undefined && earlier.eventId === undefined)
    throw new MatrixError(400, 'M_UNKNOWN', 'This transaction was not an event');
  return earlier?.eventId;
}
