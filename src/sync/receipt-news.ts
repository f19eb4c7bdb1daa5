/** Content of `m.receipt`. https://spec.matrix.org/v1.19/client-server-api/#mreceipt */
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { receiptsAfter } from '../storage/stores/receipt-store.ts';

/**
 * Receipts of a room that changed in (since, until]; private ones are their owner's alone. undefined: none.
 */
export async function receiptContent(
  ctx: RoomsContext,
  room: number,
  reader: number,
  since: number,
  until: number,
): Promise<JsonObject | undefined> {
  const all = await ctx.db.all(receiptsAfter, { room, after: since, upTo: until });
  const rows = all.filter((row) => row.type !== 'm.read.private' || row.user_nid === reader);
  if (rows.length === 0) return undefined;
  const userIds = await ctx.names.userIds(rows.map((row) => row.user_nid));
  const content: Record<string, Record<string, Record<string, JsonObject>>> = {};
  for (const [index, row] of rows.entries()) {
    const userId = userIds[index];
    if (userId === undefined) continue;
    const byType = (content[row.event_id] ??= {});
    const byUser = (byType[row.type] ??= {});
    byUser[userId] = row.thread === '' ? { ts: row.ts } : { ts: row.ts, thread_id: row.thread };
  }
  return content;
}
