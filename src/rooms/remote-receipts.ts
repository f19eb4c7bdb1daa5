/** What users of other servers have read. https://spec.matrix.org/v1.19/server-server-api/#receipts */
import type { EventId, UserId } from '../matrix/ids/ids.ts';
import { receiptsOfUsersIn, upsertReceipt } from '../storage/stores/receipt-store.ts';
import { type EventRow, eventById } from '../storage/stores/timeline-store.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { isTakenForJoined, membershipIn } from './membership.ts';
import { unthreaded } from './receipts.ts';
import { mainThread, storedAncestry } from './threads.ts';

/** That everybody may know of. */
export interface RemoteReceipt {
  readonly userId: UserId;
  readonly eventId: EventId;
  /** `mainThread`, a thread's root, or undefined: of the whole room. */
  readonly threadId: string | undefined;
  /** When the user read it, in milliseconds since the Unix epoch, as their server says. */
  readonly ts: number;
}

/**
 * Of one room, at most one for each user and thread. Those of users who are not joined are left out, and those that would go back. A receipt
 * for an event that is not known here is kept where there is none yet: the event may be on its way.
 */
export async function storeRemoteReceipts(
  ctx: RoomsContext,
  dag: RoomDag,
  receipts: readonly RemoteReceipt[],
): Promise<void> {
  const { room } = dag;
  const placed = await placedReceipts(ctx, dag, await ofMembers(ctx, dag, receipts));
  if (placed.length === 0) return;
  const userNids = await ctx.names.userNids(placed.map(({ userId }) => userId));
  const stored = new Map<string, number | null>();
  for (const row of await ctx.db.all(receiptsOfUsersIn, { room, type: 'm.read', users: [...new Set(userNids)] }))
    stored.set(`${row.user_nid} ${row.thread}`, row.ord);
  const news = placed
    .map((receipt, index) => ({ ...receipt, user: userNids[index]! }))
    .filter(({ user, thread, ord }) => isNewer(ord, stored.get(`${user} ${thread}`)));
  if (news.length === 0) return;
  await ctx.db.write((unit) => {
    for (const { user, thread, eventId, ord, ts } of news) {
      const pos = unit.nextPos();
      unit.run(upsertReceipt, { user, room, type: 'm.read', thread, eventId, ord, ts, pos });
      unit.wake({ kind: 'receipt', room, userNid: user, pos, isPrivate: false });
    }
  }).committed;
}

interface PlacedReceipt extends RemoteReceipt {
  readonly thread: string;
  readonly ord: number | null;
}

async function ofMembers(
  ctx: RoomsContext,
  dag: RoomDag,
  receipts: readonly RemoteReceipt[],
): Promise<RemoteReceipt[]> {
  if (dag.isPartial()) {
    const areJoined = await Promise.all(receipts.map(({ userId }) => isTakenForJoined(ctx, dag, userId)));
    return receipts.filter((_receipt, index) => areJoined[index]);
  }
  const state = await dag.currentEvents(receipts.map(({ userId }) => ['m.room.member', userId]));
  return receipts.filter(({ userId }) => membershipIn(state('m.room.member', userId)) === 'join');
}

async function placedReceipts(
  ctx: RoomsContext,
  dag: RoomDag,
  receipts: readonly RemoteReceipt[],
): Promise<PlacedReceipt[]> {
  const rows = new Map<EventId, EventRow | undefined>();
  for (const { eventId } of receipts)
    if (!rows.has(eventId)) rows.set(eventId, await ctx.db.one(eventById, { eventId }));
  const placed: PlacedReceipt[] = [];
  for (const receipt of receipts) {
    const row = rows.get(receipt.eventId);
    const thread = receipt.threadId ?? unthreaded;
    if (row !== undefined && row.room !== dag.room) continue;
    if (await belongsTo(ctx, row, receipt.eventId, thread)) placed.push({ ...receipt, thread, ord: row?.ord ?? null });
  }
  return placed;
}

/** Anybody could name any thread: there is one receipt for each, so only those that there are count. */
async function belongsTo(
  ctx: RoomsContext,
  row: EventRow | undefined,
  eventId: EventId,
  thread: string,
): Promise<boolean> {
  if (thread === unthreaded || thread === mainThread) return true;
  if (row === undefined) return false;
  if (thread === eventId) return true;
  const ancestry = await storedAncestry(ctx, row);
  return ancestry.threadId === thread || ancestry.ancestors.some((ancestor) => ancestor === thread);
}

/** `stored` undefined: there is none; null, as of the new one: where its event stands is not known. */
function isNewer(ord: number | null, stored: number | null | undefined): boolean {
  if (stored === undefined) return true;
  return ord !== null && (stored === null || ord > stored);
}
