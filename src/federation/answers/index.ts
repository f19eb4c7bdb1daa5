/**
 * What this server tells others of rooms that they are in. What one of their users could not see they get redacted.
 * https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
import { MatrixError, notFound } from '../../matrix/errors.ts';
import { roomEventFromPdu } from '../../matrix/events/room-event-from-pdu.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import { createEventIdOfRoom } from '../../matrix/ids/room-id.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import type { Clock, Timers } from '../../platform/ports.ts';
import { SemaphoreFull } from '../../platform/semaphore.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { loadAuthClosure } from '../../rooms/dag/auth-chain.ts';
import { pduOf } from '../../rooms/stored-event.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { placesByIds } from '../../storage/stores/room-graph-store.ts';
import { type EventRow, eventById } from '../../storage/stores/timeline-store.ts';
import type { RequestingServer } from '../contract.ts';
import { type AnswersContext, type AskedRoom, admit, openFor, unableForNow } from './context.ts';
import { findClosestEvent } from './event-by-time.ts';
import { answerHierarchy, type HierarchyQuestion } from './hierarchy.ts';
import { eventIdPieces, objectOfArrays, pduPieces } from './json-pieces.ts';
import { pduText, redactedPduText } from './pdu-text.ts';
import { ServerVisibility } from './server-visibility.ts';
import { type StateNumbers, StatesAtEvents } from './states-at-events.ts';
import { walkHistory } from './walk-history.ts';

export interface BackfillQuestion {
  readonly from: readonly EventId[];
  readonly limit: number;
}
export interface MissingEventsQuestion {
  readonly earliest: readonly EventId[];
  readonly latest: readonly EventId[];
  readonly limit: number;
  readonly minDepth: number;
}

/**
 * Every call throws M_FORBIDDEN where the other server is not in the room, or shut out by its access control list, and
 * M_NOT_FOUND for an event that is not known here. Answers are JSON text, long ones in pieces.
 */
export interface Answers {
  /** A transaction with the event. */
  event(requester: RequestingServer, eventId: EventId): Promise<Buffer>;
  /** A transaction with the events and what came before them, the newest first. */
  backfill(requester: RequestingServer, roomId: RoomId, question: BackfillQuestion): Promise<Buffer>;
  /** The oldest first. */
  missingEvents(requester: RequestingServer, roomId: RoomId, question: MissingEventsQuestion): Promise<Buffer>;
  /** Of the state before the event. */
  state(requester: RequestingServer, roomId: RoomId, eventId: EventId): Promise<AsyncIterable<Buffer>>;
  stateIds(requester: RequestingServer, roomId: RoomId, eventId: EventId): Promise<AsyncIterable<Buffer>>;
  eventAuth(requester: RequestingServer, roomId: RoomId, eventId: EventId): Promise<AsyncIterable<Buffer>>;
  /** Also of a room that the other server is not in: then M_NOT_FOUND, unless its users may see it. */
  hierarchy(requester: RequestingServer, question: HierarchyQuestion): Promise<JsonObject>;
  /** `ts` in milliseconds since the Unix epoch. */
  eventByTime(
    requester: RequestingServer,
    roomId: RoomId,
    question: { readonly ts: number; readonly dir: 'f' | 'b' },
  ): Promise<JsonObject>;
}

export function createAnswers(rooms: RoomsContext, { clock, timers }: { clock: Clock; timers: Timers }): Answers {
  const pause = (): Promise<void> => new Promise((resolve) => timers.soon(resolve));
  const ctx: AnswersContext = {
    rooms,
    clock,
    pause,
    visibility: new ServerVisibility(rooms),
    states: new StatesAtEvents(rooms, pause),
  };
  return {
    event: (requester, eventId) => answerEvent(ctx, requester, eventId),
    backfill: (requester, roomId, question) => answerBackfill(ctx, requester, roomId, question),
    missingEvents: (requester, roomId, question) => answerMissingEvents(ctx, requester, roomId, question),
    state: (requester, roomId, eventId) => answerState(ctx, requester, roomId, eventId),
    stateIds: (requester, roomId, eventId) => answerStateIds(ctx, requester, roomId, eventId),
    eventAuth: (requester, roomId, eventId) => answerEventAuth(ctx, requester, roomId, eventId),
    hierarchy: (requester, question) => answerHierarchy(rooms, requester, question),
    async eventByTime(requester, roomId, { ts, dir }) {
      const asked = await openFor(ctx, requester, roomId);
      const found = await findClosestEvent(ctx, asked, ts, dir);
      if (found === undefined) throw notFound(`There is no event from ${ts} on in that direction`);
      return { event_id: found.event_id, origin_server_ts: found.ts };
    },
  };
}

/** Also one that was rejected here: whoever builds on it needs it to judge for themselves. */
async function answerEvent(ctx: AnswersContext, requester: RequestingServer, eventId: EventId): Promise<Buffer> {
  const { db, dags } = ctx.rooms;
  const row = await db.one(eventById, { eventId });
  if (row === undefined) throw noSuchEvent();
  const asked = await admit(ctx, requester.origin, await dags.openByNid(row.room), [eventId]);
  if (row.pos === null && row.skey === null) throw noSuchEvent();
  return transaction(ctx, requester, asked, [row]);
}

async function answerBackfill(
  ctx: AnswersContext,
  requester: RequestingServer,
  roomId: RoomId,
  question: BackfillQuestion,
): Promise<Buffer> {
  const asked = await openFor(ctx, requester, roomId);
  const rows = await walkHistory(ctx.rooms, asked.dag, {
    from: question.from,
    includesStart: true,
    skipped: new Set(),
    minDepth: Number.NEGATIVE_INFINITY,
    limit: Math.min(question.limit, limits.backfillAnswerMax),
  });
  return transaction(ctx, requester, asked, rows);
}

async function answerMissingEvents(
  ctx: AnswersContext,
  requester: RequestingServer,
  roomId: RoomId,
  question: MissingEventsQuestion,
): Promise<Buffer> {
  const asked = await openFor(ctx, requester, roomId, question.latest);
  const rows = await walkHistory(ctx.rooms, asked.dag, {
    from: question.latest,
    includesStart: false,
    skipped: new Set<string>(question.earliest),
    minDepth: question.minDepth,
    limit: Math.min(question.limit, limits.missingEventsAnswerMax),
  });
  return enclosed('{"events":[', await pdusFor(ctx, asked, rows.reverse()), ']}');
}

async function answerState(
  ctx: AnswersContext,
  requester: RequestingServer,
  roomId: RoomId,
  eventId: EventId,
): Promise<AsyncIterable<Buffer>> {
  const { asked, numbers } = await stateBefore(ctx, requester, roomId, eventId);
  const reading = { db: ctx.rooms.db, pause: ctx.pause };
  return objectOfArrays([
    ['auth_chain', pduPieces(reading, numbers.authChain, asked.dag.rules)],
    ['pdus', pduPieces(reading, numbers.state, asked.dag.rules)],
  ]);
}

async function answerStateIds(
  ctx: AnswersContext,
  requester: RequestingServer,
  roomId: RoomId,
  eventId: EventId,
): Promise<AsyncIterable<Buffer>> {
  const { numbers } = await stateBefore(ctx, requester, roomId, eventId);
  const reading = { db: ctx.rooms.db, pause: ctx.pause };
  return objectOfArrays([
    ['auth_chain_ids', eventIdPieces(reading, numbers.authChain)],
    ['pdu_ids', eventIdPieces(reading, numbers.state)],
  ]);
}

async function answerEventAuth(
  ctx: AnswersContext,
  requester: RequestingServer,
  roomId: RoomId,
  eventId: EventId,
): Promise<AsyncIterable<Buffer>> {
  const { db } = ctx.rooms;
  const asked = await openFor(ctx, requester, roomId, [eventId]);
  const row = await eventOf(ctx, asked, eventId);
  const { authEvents } = roomEventFromPdu(pduOf(row), asked.dag.rules, eventId);
  // Where the room id names the create event, no event names it; it is part of the chain still.
  const { rules } = asked.dag;
  const isNamedByRoom = rules.eventAuth.createEventIsRoomId && eventId !== createEventIdOfRoom(roomId);
  const create = isNamedByRoom ? [createEventIdOfRoom(roomId)] : [];
  const places = await db.all(placesByIds, { eventIds: [...create, ...authEvents] });
  const ofRoom = places.filter((place) => place.room === asked.dag.room).map((place) => place.nid);
  const chain = [...(await loadAuthClosure(db, ofRoom, ctx.pause))];
  return objectOfArrays([['auth_chain', pduPieces({ db, pause: ctx.pause }, chain, rules)]]);
}

async function stateBefore(
  ctx: AnswersContext,
  requester: RequestingServer,
  roomId: RoomId,
  eventId: EventId,
): Promise<{ readonly asked: AskedRoom; readonly numbers: StateNumbers }> {
  const asked = await openFor(ctx, requester, roomId, [eventId]);
  const row = await eventOf(ctx, asked, eventId);
  if ((row.flags & EventFlag.partialState) !== 0) throw unableForNow('The state at this event is not known here yet');
  if (row.pos === null) throw notFound('The state at this event is not known here');
  try {
    return { asked, numbers: await ctx.states.before(row) };
  } catch (error) {
    if (error instanceof SemaphoreFull) throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many ask for states');
    throw error;
  }
}

/** Throws M_NOT_FOUND. */
async function eventOf(ctx: AnswersContext, { dag }: AskedRoom, eventId: EventId): Promise<EventRow> {
  const row = await ctx.rooms.db.one(eventById, { eventId });
  if (row === undefined || row.room !== dag.room) throw noSuchEvent();
  return row;
}

/** https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid */
async function transaction(
  ctx: AnswersContext,
  { destination }: RequestingServer,
  asked: AskedRoom,
  rows: readonly EventRow[],
): Promise<Buffer> {
  const head = `{"origin":${JSON.stringify(destination)},"origin_server_ts":${ctx.clock.nowMs()},"pdus":[`;
  return enclosed(head, await pdusFor(ctx, asked, rows), ']}');
}

async function pdusFor({ visibility }: AnswersContext, asked: AskedRoom, rows: readonly EventRow[]): Promise<Buffer[]> {
  const visible = await visibility.visibleTo(asked, rows);
  const { rules } = asked.dag;
  return rows.map((row) => (visible.has(row.nid) ? pduText(row, rules) : redactedPduText(row, rules)));
}

function enclosed(head: string, elements: readonly Buffer[], tail: string): Buffer {
  const pieces = elements.flatMap((element, index) => (index === 0 ? [element] : [comma, element]));
  return Buffer.concat([Buffer.from(head), ...pieces, Buffer.from(tail)]);
}

const comma = Buffer.from(',');
const noSuchEvent = (): MatrixError => notFound('There is no such event here');
