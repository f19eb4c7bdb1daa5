/**
 * Stored events in the form that clients get. https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { toClientEvent } from '../matrix/events/client-event.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { delayIdsOfEvents } from '../storage/stores/delayed-event-store.ts';
import { replacedBy } from '../storage/stores/state-line-store.ts';
import { type EventRow, eventsByNids } from '../storage/stores/timeline-store.ts';
import { transactionsOfEvents } from '../storage/stores/txn-store.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { type IsErased, type SourceEvent, erasedFor, nothingErased, shownPdu, sourceEvent } from './erasure.ts';
import { withFetched } from './fetched-history.ts';
import { type VisibilityTimeline, isVisible, membershipAt } from './history-visibility.ts';
import { bundledRelations, withRelations } from './relations/bundles.ts';

/** For whom: their device gets its transaction ids back, and their membership at the time is told (unsigned.membership). */
export interface Viewer {
  readonly userNid: number;
  readonly deviceNid: number;
  readonly timeline: VisibilityTimeline;
  /** The position as of which is told what relates to an event. */
  readonly until: number;
  /** Users whose messages the viewer has chosen not to see: what they related to an event is left out. */
  readonly ignored: readonly number[];
}

/** What is the same for every reader of an event. */
export interface EventForm {
  /** Without room_id and unsigned. */
  readonly event: JsonObject;
  /** replaces_state and redacted_because. */
  readonly unsigned: JsonObject;
  /** What is told of the event that this one replaced in the state, to those who may see that one. */
  readonly previous: { readonly pos: number; readonly unsigned: JsonObject } | undefined;
  /** For its sender: by which delayed event it came about. */
  readonly delayId: string | undefined;
  /** What this was made of; the event's own is the first. */
  readonly sources: readonly SourceEvent[];
}

/** In the order of `rows`. `isErased`: of events that the reader gets redacted. */
export async function eventForms(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  isErased: IsErased = nothingErased,
): Promise<EventForm[]> {
  if (rows.length === 0) return [];
  const dags = new Map<number, RoomDag>();
  for (const { room } of rows) if (!dags.has(room)) dags.set(room, await ctx.dags.openByNid(room));
  const [previous, redactions, delayIds] = await Promise.all([
    previousEvents(ctx, rows),
    redactionEvents(ctx, rows),
    delayIdsOf(ctx, rows),
  ]);
  return rows.map((row): EventForm => {
    const { roomId, rules } = dags.get(row.room)!;
    const own = sourceEvent(row);
    const replaced = sourceIn(previous, row.nid);
    const redaction = row.redacted_by === null ? undefined : sourceIn(redactions, row.redacted_by);
    const because = redaction && {
      ...toClientEvent(shownPdu(redaction, rules, isErased), { eventId: idOf(redaction.row), rules }),
      room_id: roomId,
    };
    return {
      event: toClientEvent(shownPdu(own, rules, isErased), { eventId: idOf(row), rules }),
      unsigned: {
        ...(replaced === undefined ? {} : { replaces_state: replaced.row.event_id }),
        ...(because === undefined ? {} : { redacted_because: because }),
      },
      previous: replaced && previousOf(replaced, row.pos, isErased),
      delayId: delayIds.get(row.nid),
      sources: [own, replaced, redaction].filter((source) => source !== undefined),
    };
  });
}

/** In the order of `rows`; all of one room. With what relates to them. */
export async function clientEvents(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  viewer: Viewer,
): Promise<JsonObject[]> {
  const toClient = async (some: readonly EventRow[]) => plainEvents(ctx, some, viewer);
  const [events, bundles] = [await toClient(rows), await bundledRelations(ctx, rows, viewer, toClient)];
  return bundles.size === 0
    ? events
    : rows.map(({ nid }, index) => withRelations(events[index] ?? {}, bundles.get(nid)));
}

/** In the order of `rows`; all of one room. Without what relates to them. */
export async function plainEvents(
  ctx: RoomsContext,
  rows: readonly EventRow[],
  viewer: Pick<Viewer, 'userNid' | 'deviceNid' | 'timeline'>,
): Promise<JsonObject[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const { roomId } = await ctx.dags.openByNid(first.room);
  const [transactions, forms] = await Promise.all([
    ownTransactions(ctx, rows, viewer),
    eventForms(ctx, rows, erasedFor(ctx, viewer.timeline)),
  ]);
  const shown = forms.flatMap(({ sources }) => sources.map((source) => source.row));
  const timeline = await withFetched(ctx, viewer.timeline, shown);
  const now = ctx.clock.nowMs();
  return rows.map((row, index) => {
    const form = forms[index];
    if (form === undefined) throw new Error('one form for each row');
    const transaction = transactions.get(row.nid);
    const seesPrevious = form.previous !== undefined && isVisible(timeline, form.previous.pos);
    return {
      ...form.event,
      room_id: roomId,
      unsigned: {
        age: Math.max(0, now - Number(form.event['origin_server_ts'])),
        ...(transaction === undefined ? {} : { transaction_id: transaction }),
        ...(row.sender === viewer.userNid ? delayIdField(form.delayId) : {}),
        ...(row.pos === null ? {} : { membership: membershipAt(timeline, row.pos) ?? 'leave' }),
        ...form.unsigned,
        ...(seesPrevious ? form.previous.unsigned : {}),
      },
    };
  });
}

export async function ownTransactions(
  ctx: RoomsContext,
  rows: readonly Pick<EventRow, 'nid' | 'sender'>[],
  viewer: Pick<Viewer, 'userNid' | 'deviceNid'>,
): Promise<ReadonlyMap<number, string>> {
  const nids = rows.filter((row) => row.sender === viewer.userNid).map((row) => row.nid);
  if (nids.length === 0) return new Map();
  const found = await ctx.db.all(transactionsOfEvents, { device: viewer.deviceNid, nids });
  return new Map(found.map((row) => [row.nid, row.txn]));
}

/** MSC4140. */
const delayIdField = (delayId: string | undefined): JsonObject =>
  delayId === undefined ? {} : { 'org.matrix.msc4140.delay_id': delayId, delay_id: delayId };

async function delayIdsOf(ctx: RoomsContext, rows: readonly EventRow[]): Promise<ReadonlyMap<number, string>> {
  const nids = rows.filter((row) => (row.flags & EventFlag.delayed) !== 0).map((row) => row.nid);
  const found = nids.length === 0 ? [] : await ctx.db.all(delayIdsOfEvents, { nids });
  return new Map(found.map((row) => [row.nid, row.delay_id]));
}

/** For state events that replaced another one, that one. */
async function previousEvents(ctx: RoomsContext, rows: readonly EventRow[]): Promise<ReadonlyMap<number, EventRow>> {
  const nids = rows.filter((row) => row.skey !== null).map((row) => row.nid);
  if (nids.length === 0) return new Map();
  const pairs = await ctx.db.all(replacedBy, { nids });
  const byNid = await rowsByNid(ctx, [...new Set(pairs.map((pair) => pair.prev))]);
  return new Map(
    pairs.flatMap(({ nid, prev }) => {
      const row = byNid.get(prev);
      return row === undefined ? [] : [[nid, row]];
    }),
  );
}

/**
 * An event of a handed-in state has no place of its own here; nobody but its state's readers ever saw it. Of what is erased
 * nothing is told.
 */
function previousOf(replaced: SourceEvent, replacedAt: number | null, isErased: IsErased): EventForm['previous'] {
  const { pdu } = replaced;
  // The invite with which somebody came into a room of another server is theirs to know.
  const pos = replaced.pos ?? (pdu['type'] === 'm.room.member' ? replacedAt : null);
  if (pos === null || isErased(replaced)) return undefined;
  return { pos, unsigned: { prev_content: pdu['content'], prev_sender: pdu['sender'] } };
}

function sourceIn(rows: ReadonlyMap<number, EventRow>, nid: number): SourceEvent | undefined {
  const row = rows.get(nid);
  return row && sourceEvent(row);
}

async function redactionEvents(ctx: RoomsContext, rows: readonly EventRow[]): Promise<ReadonlyMap<number, EventRow>> {
  return rowsByNid(
    ctx,
    rows.flatMap((row) => row.redacted_by ?? []),
  );
}

async function rowsByNid(ctx: RoomsContext, nids: readonly number[]): Promise<ReadonlyMap<number, EventRow>> {
  const rows = nids.length === 0 ? [] : await ctx.db.all(eventsByNids, { nids });
  return new Map(rows.map((row) => [row.nid, row]));
}

const idOf = (row: EventRow): EventId => row.event_id as EventId;
