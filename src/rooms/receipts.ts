/**
 * Read receipts, the fully-read marker, and what they do to unread counts.
 * https://spec.matrix.org/v1.19/client-server-api/#receipts
 */
import { badJson, invalidParam, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId, UserId } from '../matrix/ids/ids.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { setAccountData } from '../storage/stores/account-data-store.ts';
import { markRead, userRoom } from '../storage/stores/membership-store.ts';
import { receiptOf, upsertReceipt } from '../storage/stores/receipt-store.ts';
import { threadEventsBetween } from '../storage/stores/thread-event-store.ts';
import { type EventRow, eventById } from '../storage/stores/timeline-store.ts';
import type { Actor, RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { openJoinedRoom } from './membership.ts';
import { mainThread, storedAncestry } from './threads.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    receipt: { room: number; userNid: number; pos: number; isPrivate: boolean };
    /** Others may be told that a user of this server has read something. */
    'outgoing-receipt': {
      room: number;
      roomId: RoomId;
      userId: UserId;
      threadId: string;
      eventId: EventId;
      ts: number;
    };
  }
}

export type ReceiptType = 'm.read' | 'm.read.private';
/** Unthreaded receipts stand for the whole room. */
export const unthreaded = '';

export interface MarkersRequest {
  readonly roomId: RoomId;
  readonly fullyRead?: EventId | undefined;
  readonly read?: EventId | undefined;
  readonly readPrivate?: EventId | undefined;
}

/**
 * `threadId`: `mainThread` or the event id of a thread's root, which the event has to belong to; undefined: unthreaded.
 * Errors: M_FORBIDDEN (not joined), M_NOT_FOUND (no such event in the room), M_INVALID_PARAM (thread_id).
 */
export async function setReceipt(
  ctx: RoomsContext,
  actor: Actor,
  roomId: RoomId,
  type: ReceiptType,
  eventId: EventId,
  threadId: string | undefined,
): Promise<void> {
  if (threadId === '') throw invalidParam('thread_id must not be empty');
  const dag = await openJoinedRoom(ctx, actor.userId, roomId);
  const event = await eventIn(ctx, dag, eventId);
  if (threadId !== undefined) await assertInThread(ctx, event, threadId);
  const newer = await isNewer(ctx, actor, dag, type, threadId ?? unthreaded, event);
  if (!newer) return;
  const readsAll = threadId === mainThread && !(await skipsThreads(ctx, actor, dag, event));
  const written = ctx.db.write((unit) => {
    writeReceipt(ctx, unit, actor, dag, type, threadId ?? unthreaded, event);
    if (readsAll) markAllRead(unit, actor, dag, event);
  });
  await written.committed;
}

/** The fully-read marker and both kinds of receipts in one unit. */
export async function setReadMarkers(ctx: RoomsContext, actor: Actor, request: MarkersRequest): Promise<void> {
  const dag = await openJoinedRoom(ctx, actor.userId, request.roomId);
  const receipts: { type: ReceiptType; event: ReadEvent }[] = [];
  for (const [type, eventId] of [
    ['m.read', request.read],
    ['m.read.private', request.readPrivate],
  ] as const) {
    if (eventId === undefined) continue;
    const event = await eventIn(ctx, dag, eventId);
    if (await isNewer(ctx, actor, dag, type, unthreaded, event)) receipts.push({ type, event });
  }
  const { fullyRead } = request;
  if (fullyRead !== undefined) await eventIn(ctx, dag, fullyRead);
  if (fullyRead === undefined && receipts.length === 0) return;
  const written = ctx.db.write((unit) => {
    for (const { type, event } of receipts) writeReceipt(ctx, unit, actor, dag, type, unthreaded, event);
    if (fullyRead === undefined) return;
    const pos = unit.nextPos();
    const json = JSON.stringify({ event_id: fullyRead });
    unit.run(setAccountData, { user: actor.userNid, room: dag.room, type: 'm.fully_read', json, pos });
    unit.wake({ kind: 'account-data', userNid: actor.userNid, room: dag.room, pos });
  });
  await written.committed;
}

function writeReceipt(
  ctx: RoomsContext,
  unit: UnitBuilder,
  actor: Actor,
  dag: RoomDag,
  type: ReceiptType,
  thread: string,
  event: ReadEvent,
): void {
  const pos = unit.nextPos();
  const user = actor.userNid;
  const { room } = dag;
  const ts = ctx.clock.nowMs();
  unit.run(upsertReceipt, { user, room, type, thread, eventId: event.eventId, ord: event.ord, ts, pos });
  if (thread === unthreaded) markAllRead(unit, actor, dag, event);
  unit.wake({ kind: 'receipt', room, userNid: user, pos, isPrivate: type === 'm.read.private' });
  if (type !== 'm.read') return;
  const { roomId } = dag;
  unit.wake({
    kind: 'outgoing-receipt',
    room,
    roomId,
    userId: actor.userId,
    threadId: thread,
    eventId: event.eventId,
    ts,
  });
}

/** Everything up to the event, in whatever thread. */
function markAllRead(unit: UnitBuilder, actor: Actor, dag: RoomDag, event: ReadEvent): void {
  unit.run(markRead, { user: actor.userNid, room: dag.room, readOrd: event.ord, notifyRead: event.notifySeq });
}

/** Whether a receipt of the main timeline leaves something unread that came before its event: whatever is in a thread. */
async function skipsThreads(ctx: RoomsContext, actor: Actor, dag: RoomDag, event: ReadEvent): Promise<boolean> {
  const { room } = dag;
  const after = (await ctx.db.one(userRoom, { user: actor.userNid, room }))?.read_ord ?? 0;
  return (await ctx.db.one(threadEventsBetween, { room, after, before: event.ord, limit: 1 })) !== undefined;
}

/**
 * An event belongs to the thread that its relations lead to, and to what it descends from by other relations: a reaction to
 * the root may be the last that somebody saw of a thread.
 */
async function assertInThread(ctx: RoomsContext, event: ReadEvent, threadId: string): Promise<void> {
  const ancestry = await storedAncestry(ctx, event.row);
  if (ancestry.threadId === threadId || event.eventId === threadId) return;
  if (threadId !== mainThread && ancestry.ancestors.some((ancestor) => ancestor === threadId)) return;
  throw invalidParam('The event is not in the thread that thread_id names');
}

/** Receipts never go back. Most that would are found here, and cost no write; those that cross are left to the write. */
async function isNewer(
  ctx: RoomsContext,
  actor: Actor,
  dag: RoomDag,
  type: ReceiptType,
  thread: string,
  event: ReadEvent,
): Promise<boolean> {
  const current = await ctx.db.one(receiptOf, { user: actor.userNid, room: dag.room, type, thread });
  return current === undefined || current.ord === null || event.ord > current.ord;
}

/** An event that has its place in the room's timeline. Throws M_BAD_JSON, M_NOT_FOUND. */
async function eventIn(ctx: RoomsContext, dag: RoomDag, eventId: EventId): Promise<ReadEvent> {
  if (!eventId.startsWith('$')) throw badJson('An event ID starts with $');
  const row = await ctx.db.one(eventById, { eventId });
  if (row === undefined || row.room !== dag.room || row.ord === null)
    throw notFound('There is no such event in this room');
  return { eventId, ord: row.ord, notifySeq: row.notify_seq, row };
}

/** What a receipt says to have been read. */
interface ReadEvent {
  readonly eventId: EventId;
  readonly ord: number;
  readonly notifySeq: number;
  readonly row: EventRow;
}
