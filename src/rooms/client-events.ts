/**
 * Stored events in the form that clients get. https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { toClientEvent } from '../matrix/events/client-event.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import { replacedBy } from '../storage/stores/state-line-store.ts';
import { type EventRow, eventsByNids } from '../storage/stores/timeline-store.ts';
import { transactionsOfEvents } from '../storage/stores/txn-store.ts';
import type { RoomsContext } from './context.ts';
import { type VisibilityTimeline, membershipAt } from './history-visibility.ts';
import { pduOf } from './stored-event.ts';

/** For whom: their device gets its transaction ids back, and their membership at the time is told (unsigned.membership). */
export interface Viewer {
  readonly userNid: number;
  readonly deviceNid: number;
  readonly timeline: VisibilityTimeline | undefined;
}

/** In the order of `rows`; all of one room. */
export async function clientEvents(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  viewer: Viewer,
): Promise<JsonObject[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const { roomId, rules } = await ctx.dags.openByNid(first.room);
  const [transactions, previous, redactions] = await Promise.all([
    ownTransactions(ctx, rows, viewer),
    previousContents(ctx, rows),
    redactionEvents(ctx, rows, roomId),
  ]);
  const now = ctx.clock.nowMs();
  return rows.map((row) => {
    const pdu = pduOf(row);
    const before = previous.get(row.nid);
    const unsigned: Record<string, JsonObject[string]> = { age: Math.max(0, now - Number(pdu['origin_server_ts'])) };
    const transaction = transactions.get(row.nid);
    if (transaction !== undefined) unsigned['transaction_id'] = transaction;
    if (before !== undefined) Object.assign(unsigned, before);
    if (row.redacted_by !== null) {
      const redaction = redactions.get(row.redacted_by);
      if (redaction !== undefined) unsigned['redacted_because'] = redaction;
    }
    if (viewer.timeline !== undefined && row.pos !== null)
      unsigned['membership'] = membershipAt(viewer.timeline, row.pos) ?? 'leave';
    return toClientEvent(pdu, { eventId: row.event_id as EventId, roomId, rules, unsigned });
  });
}

async function ownTransactions(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  viewer: Viewer,
): Promise<ReadonlyMap<number, string>> {
  const nids = rows.filter((row) => row.sender === viewer.userNid).map((row) => row.nid);
  if (nids.length === 0) return new Map();
  const found = await ctx.db.all(transactionsOfEvents, { device: viewer.deviceNid, nids });
  return new Map(found.map((row) => [row.nid, row.txn]));
}

/** unsigned.prev_content and the fields that go with it, for state events that replaced another one. */
async function previousContents(
  ctx: RoomsContext,
  rows: readonly EventRow[],
): Promise<ReadonlyMap<number, JsonObject>> {
  const nids = rows.filter((row) => row.skey !== null).map((row) => row.nid);
  if (nids.length === 0) return new Map();
  const pairs = await ctx.db.all(replacedBy, { nids });
  const events = await ctx.db.all(eventsByNids, { nids: [...new Set(pairs.map((pair) => pair.prev))] });
  const byNid = new Map(events.map((row) => [row.nid, row]));
  return new Map(
    pairs.flatMap(({ nid, prev }) => {
      const row = byNid.get(prev);
      if (row === undefined) return [];
      const { content, sender } = pduOf(row);
      return [[nid, { prev_content: content, prev_sender: sender, replaces_state: row.event_id }]];
    }),
  );
}

async function redactionEvents(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  roomId: RoomId,
): Promise<ReadonlyMap<number, JsonObject>> {
  const nids = rows.flatMap((row) => row.redacted_by ?? []);
  if (nids.length === 0) return new Map();
  const { rules } = await ctx.dags.open(roomId);
  const events = await ctx.db.all(eventsByNids, { nids });
  return new Map(
    events.map((row) => [
      row.nid,
      toClientEvent(pduOf(row), { eventId: row.event_id as EventId, roomId, rules, unsigned: {} }),
    ]),
  );
}
