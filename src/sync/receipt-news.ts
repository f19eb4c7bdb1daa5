/** `m.receipt`. https://spec.matrix.org/v1.19/client-server-api/#mreceipt */
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { unthreaded } from '../rooms/receipts.ts';
import { type ReceiptRow, receiptsAfter } from '../storage/stores/receipt-store.ts';

export interface ReceiptNews {
  /** Usually one at most; more where somebody has several receipts at one event, because a content holds one of each user. */
  readonly contents: readonly JsonObject[];
  /** The reader has read further, so their counts are others. */
  readonly isOwn: boolean;
}

type Content = Record<string, Record<string, Record<string, JsonObject>>>;

/** Receipts of a room that changed in (since, until]; private ones are their owner's alone, and those of `ignored` users are left out. */
export async function receiptNews(
  ctx: RoomsContext,
  room: number,
  reader: number,
  since: number,
  until: number,
  ignored: ReadonlySet<string>,
): Promise<ReceiptNews> {
  return receiptsTold(ctx, await ctx.db.all(receiptsAfter, { room, after: since, upTo: until }), reader, ignored);
}

/** `all`: of one room. */
export async function receiptsTold(
  ctx: RoomsContext,
  all: readonly ReceiptRow[],
  reader: number,
  ignored: ReadonlySet<string>,
): Promise<ReceiptNews> {
  const contents = (await receiptContents(ctx, all, reader, ignored)).map(({ content }) => content);
  return { contents, isOwn: all.some((row) => row.user_nid === reader) };
}

export interface ReceiptContent {
  readonly content: JsonObject;
  /** Of the first receipt in it. */
  readonly pos: number;
}

/** In the order of the rows, as few as possible; what is not the reader's to know is left out. */
export async function receiptContents(
  ctx: RoomsContext,
  all: readonly ReceiptRow[],
  reader: number,
  ignored: ReadonlySet<string>,
): Promise<ReceiptContent[]> {
  const rows = all.filter((row) => row.type !== 'm.read.private' || row.user_nid === reader);
  const userIds = await ctx.names.userIds(rows.map((row) => row.user_nid));
  const contents: { readonly content: Content; readonly pos: number }[] = [];
  for (const [index, row] of rows.entries()) {
    const userId = userIds[index];
    if (userId === undefined) throw new Error('one user for each receipt');
    if (ignored.has(userId)) continue;
    const receipt = row.thread === unthreaded ? { ts: row.ts } : { ts: row.ts, thread_id: row.thread };
    let found = contents.find(({ content }) => content[row.event_id]?.[row.type]?.[userId] === undefined);
    if (found === undefined) contents.push((found = { content: {}, pos: row.pos }));
    const byType = (found.content[row.event_id] ??= {});
    (byType[row.type] ??= {})[userId] = receipt;
  }
  return contents;
}
