/** Sending what is not a membership: messages, state, redactions. */
import { MatrixError, badJson, notFound } from '../matrix/errors.ts';
import { isEventId } from '../matrix/ids/event-id.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { canonicalJsonOf } from '../matrix/json/canonical-json.ts';
import { type AppendOptions, type Appended, type Done, appendLocalEvent, changeRoom } from './append-local-event.ts';
import type { EventDraft } from './build-event.ts';
import type { Actor, ClientTransaction, RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { assertRedactionKeepsEncryption } from './encryption-policy.ts';
import { assertGuestsEnter } from './guest-access.ts';
import { assertMayInvite, assertMayReject } from './may-invite.ts';
import { assertJoined } from './membership.ts';
import { assertMayRedact } from './redaction.ts';
import { checkRelation } from './relations/check-relation.ts';
import { otherServersIn } from './residence.ts';
import { authorised, withoutAuthorisation } from './restricted-joins.ts';
import { checkStateEvent } from './state-event-checks.ts';
import { findStoredEvent } from './stored-event.ts';

export interface SendRequest extends SendOptions {
  readonly roomId: RoomId;
  readonly type: string;
  readonly content: JsonObject;
  readonly transaction?: ClientTransaction;
}

export interface SendOptions extends Pick<AppendOptions, 'also' | 'marks'> {
  /** For application services only (`?ts=`). */
  readonly originServerTs?: number | undefined;
  /** For how long the event is to be sticky, in milliseconds (MSC4354); undefined: it is not. */
  readonly stickyMs?: number | undefined;
}

/**
 * `PUT /rooms/{roomId}/send/{eventType}/{txnId}`. A repeated transaction gets the first event's id.
 * Errors: M_FORBIDDEN, M_TOO_LARGE, M_BAD_JSON.
 */
export async function sendMessage(ctx: RoomsContext, actor: Actor, request: SendRequest): Promise<EventId> {
  const { type, content, stickyMs } = request;
  const draft: EventDraft = { type, sender: actor.userId, content, stickyMs };
  if (request.type === 'm.room.redaction') {
    const { redacts } = request.content;
    if (!isEventId(redacts)) throw badJson('content.redacts is not an event ID');
    return redactEvent(ctx, actor, { ...request, eventId: redacts });
  }
  return sendOnce(ctx, request, async (dag) => {
    await checkRelation(ctx, dag, actor, draft);
    await assertRoomForFiles(ctx, dag, actor, content);
    return appendLocalEvent(ctx, dag, draft, request);
  });
}

/** Only members are told how much a room has. */
async function assertRoomForFiles(
  { roomFiles }: RoomsContext,
  dag: RoomDag,
  { userId }: Actor,
  content: JsonObject,
): Promise<void> {
  if (roomFiles?.concerns(content) !== true) return;
  await assertJoined(dag, userId);
  await roomFiles.assertRoomFor(dag.room, content);
}

export interface RedactRequest extends SendOptions {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly content: JsonObject;
  readonly transaction?: ClientTransaction;
}

/** `PUT /rooms/{roomId}/redact/{eventId}/{txnId}`. Errors: M_FORBIDDEN, M_NOT_FOUND. */
export async function redactEvent(ctx: RoomsContext, actor: Actor, request: RedactRequest): Promise<EventId> {
  // Where the target is named, room versions differ; a second name elsewhere would only be noise.
  const { redacts: _redacts, ...content } = request.content;
  return sendOnce(ctx, request, async (dag) => {
    await assertJoined(dag, actor.userId);
    const target = await findStoredEvent(ctx, request.eventId);
    if (target === undefined ? !(await mayBeElsewhere(ctx, dag)) : target.header.room !== dag.room)
      throw notFound('There is no such event in this room');
    await assertMayRedact(dag, actor.userId, target?.event);
    await assertRedactionKeepsEncryption(dag, request.eventId);
    return appendLocalEvent(
      ctx,
      dag,
      { type: 'm.room.redaction', sender: actor.userId, content, redacts: request.eventId, stickyMs: request.stickyMs },
      request,
    );
  });
}

/** Other servers in the room may have events that did not come here; whoever has the level for it may redact them still. */
async function mayBeElsewhere(ctx: RoomsContext, dag: RoomDag): Promise<boolean> {
  return (await otherServersIn(ctx, dag.room, 1)).length > 0;
}

export interface StateRequest extends SendOptions {
  readonly roomId: RoomId;
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
}

/**
 * `PUT /rooms/{roomId}/state/{eventType}/{stateKey}`. A state that is so already is not sent again: the event that made it
 * so is the answer.
 */
export async function sendState(ctx: RoomsContext, actor: Actor, request: StateRequest): Promise<EventId> {
  const { roomId, type, stateKey, stickyMs } = request;
  // Who lets somebody into a restricted room is for the server to say.
  const isMember = type === 'm.room.member';
  const wanted = isMember ? withoutAuthorisation(request.content) : request.content;
  if (isMember && wanted['membership'] === 'invite' && isUserId(stateKey))
    await assertMayInvite(ctx, actor.userId, stateKey);
  return eventIdOf(
    await changeRoom(ctx, roomId, async (dag): Promise<Done> => {
      if (!isMember) await assertJoined(dag, actor.userId);
      await checkStateEvent(ctx, dag, actor, request);
      const current = await dag.currentEvent(type, stateKey);
      if (isMember && stateKey === actor.userId && wanted['membership'] === 'leave') assertMayReject(ctx, current);
      if (stickyMs === undefined && current?.sender === actor.userId && saysAlready(dag, current, wanted))
        return { eventId: current.eventId, placed: undefined };
      const isJoin = isMember && stateKey === actor.userId && wanted['membership'] === 'join';
      if (isJoin) await assertGuestsEnter(dag, actor);
      const content = isJoin ? await authorised(ctx, dag, actor.userId, wanted) : wanted;
      const draft: EventDraft = { type, stateKey, sender: actor.userId, content, stickyMs };
      if (!isMember) {
        await checkRelation(ctx, dag, actor, draft);
        await assertRoomForFiles(ctx, dag, actor, content);
      }
      return done(await appendLocalEvent(ctx, dag, draft, request));
    }),
  );
}

function saysAlready({ rules }: RoomDag, current: RoomEvent, wanted: JsonObject): boolean {
  const write = canonicalJsonOf(rules);
  return (
    write(current.type === 'm.room.member' ? withoutAuthorisation(current.content) : current.content) === write(wanted)
  );
}

interface Once {
  readonly roomId: RoomId;
  readonly transaction?: ClientTransaction;
}

async function sendOnce(ctx: RoomsContext, request: Once, send: (dag: RoomDag) => Promise<Appended>): Promise<EventId> {
  const { roomId, transaction } = request;
  // Not within the lock, where everybody who sends there would wait for the read.
  const preparing = transaction && ctx.transactions.prepare(transaction);
  if (preparing !== undefined) await preparing;
  // The room's lock also orders two arrivals of the same transaction; the first one's event may still be on its way to disk.
  return eventIdOf(
    await changeRoom(ctx, roomId, async (dag): Promise<Done> => {
      const earlier = transaction && (await earlierEvent(ctx, transaction));
      if (earlier !== undefined) return { eventId: earlier, placed: undefined };
      const appended = await send(dag);
      if (transaction !== undefined) ctx.transactions.add(transaction, appended.event.eventId, appended.placed);
      return done(appended);
    }),
  );
}

const done = ({ event, placed }: Appended): Done => ({ eventId: event.eventId, placed });

function eventIdOf(eventId: EventId | undefined): EventId {
  if (eventId === undefined) throw new Error('an event was sent, or is there already');
  return eventId;
}

async function earlierEvent(ctx: RoomsContext, transaction: ClientTransaction): Promise<EventId | undefined> {
  const earlier = await ctx.transactions.find(transaction);
  if (earlier !== undefined && earlier.eventId === undefined)
    throw new MatrixError(400, 'M_UNKNOWN', 'This transaction was not an event');
  return earlier?.eventId;
}
