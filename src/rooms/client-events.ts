/**
 * Stored events in the form that clients get. https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { toClientEvent } from '../matrix/events/client-event.ts';
import type { EventId, RoomId } from '../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
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

/** What is the same for every reader of an event. */
export interface EventForm {
  /** Without room_id and unsigned. */
  readonly event: JsonObject;
  /** prev_content and redacted_because with what belongs to them. */
  readonly unsigned: JsonObject;
}

/** In the order of `rows`; all of one room. */
export async function eventForms(ctx: RoomsContext, rows: readonly EventRow[]): Promise<EventForm[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const { roomId, rules } = await ctx.dags.openByNid(first.room);
  const [previous, redactions] = await Promise.all([
    previousContents(ctx, rows),
    redactionEvents(ctx, rows, roomId, rules),
  ]);
  return rows.map((row) => {
    const redaction = row.redacted_by === null ? undefined : redactions.get(row.redacted_by);
    return {
      event: toClientEvent(pduOf(row), { eventId: row.event_id as EventId, rules }),
      unsigned: {
        ...previous.get(row.nid),
        ...(redaction === undefined ? {} : { redacted_because: redaction }),
      },
    };
  });
}

/** In the order of `rows`; all of one room. */
export async function clientEvents(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  viewer: Viewer,
): Promise<JsonObject[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const { roomId } = await ctx.dags.openByNid(first.room);
  const [transactions, forms] = await Promise.all([ownTransactions(ctx, rows, viewer), eventForms(ctx, rows)]);
  const now = ctx.clock.nowMs();
  return rows.map((row, index) => {
    const form = forms[index];
    if (form === undefined) throw new Error('one form for each row');
    const transaction = transactions.get(row.nid);
    const isTold = viewer.timeline !== undefined && row.pos !== null;
    return {
      ...form.event,
      room_id: roomId,
      unsigned: {
        age: Math.max(0, now - Number(form.event['origin_server_ts'])),
        ...(transaction === undefined ? {} : { transaction_id: transaction }),
        ...(isTold ? { membership: membershipAt(viewer.timeline, row.pos) ?? 'leave' } : {}),
        ...form.unsigned,
      },
    };
  });
}

export async function ownTransactions(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  viewer: Pick<Viewer, 'userNid' | 'deviceNid'>,
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
  rules: RoomVersionRules,
): Promise<ReadonlyMap<number, JsonObject>> {
  const nids = rows.flatMap((row) => row.redacted_by ?? []);
  if (nids.length === 0) return new Map();
  const events = await ctx.db.all(eventsByNids, { nids });
  return new Map(
    events.map((row) => [
      row.nid,
      { ...toClientEvent(pduOf(row), { eventId: row.event_id as EventId, rules }), room_id: roomId },
    ]),
  );
}
