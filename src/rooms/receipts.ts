/**
 * Read receipts, the fully-read marker, and what they do to unread counts.
 * https://spec.matrix.org/v1.19/client-server-api/#receipts
 */
import { badJson, invalidParam, notFound } from '../matrix/errors.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { setAccountData } from '../storage/stores/account-data-store.ts';
import { markRead } from '../storage/stores/membership-store.ts';
import { receiptOf, upsertReceipt } from '../storage/stores/receipt-store.ts';
import { eventById } from '../storage/stores/timeline-store.ts';
import type { Actor, RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { openJoinedRoom } from './membership.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    receipt: { room: number; userNid: number; pos: number; isPrivate: boolean };
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

/** Errors: M_FORBIDDEN (not joined), M_NOT_FOUND (no such event in the room), M_INVALID_PARAM (thread_id). */
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
  const newer = await isNewer(ctx, actor, dag, type, threadId ?? unthreaded, event);
  if (!newer) return;
  const written = ctx.db.write((unit) => writeReceipt(ctx, unit, actor, dag, type, threadId ?? unthreaded, event));
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
  unit.run(upsertReceipt, {
    user,
    room,
    type,
    thread,
    eventId: event.eventId,
    ord: event.ord,
    ts: ctx.clock.nowMs(),
    pos,
  });
  // The room's counts are those of the main timeline; a receipt within a thread leaves them alone.
  if (thread === unthreaded || thread === 'main')
    unit.run(markRead, { user, room, readOrd: event.ord, notifyRead: event.notifySeq });
  unit.wake({ kind: 'receipt', room, userNid: user, pos, isPrivate: type === 'm.read.private' });
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
  return { eventId, ord: row.ord, notifySeq: row.notify_seq };
}

/** What a receipt says to have been read. */
interface ReadEvent {
  readonly eventId: EventId;
  readonly ord: number;
  readonly notifySeq: number;
}
