/**
 * Events as text, serialised once: what differs between readers is put in between. The text is of the sync format, without
 * room_id. https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { toClientEvent } from '../matrix/events/client-event.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { Lru } from '../platform/lru.ts';
import { type EventForm, eventForms } from '../rooms/client-events.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { TimelineEntry } from '../rooms/event-effects.ts';
import type { Commit } from '../storage/database.ts';
import { type EventRow, eventsByNids } from '../storage/stores/timeline-store.ts';

export interface EventFragment {
  readonly type: string;
  readonly sender: string;
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  readonly originServerTs: number;
  /** Up to the number of unsigned.age. */
  readonly head: string;
  /** From behind what differs between readers. */
  readonly tail: string;
}

const cacheBytesMax = 64 * 1024 * 1024;

export class EventFragments {
  readonly #ctx: RoomsContext;
  readonly #cache = new Lru<number, EventFragment>({
    sizeMax: cacheBytesMax,
    sizeOf: (fragment) => 2 * (fragment.head.length + fragment.tail.length) + 200,
  });

  constructor(ctx: RoomsContext) {
    this.#ctx = ctx;
  }

  onCommit(commit: Commit): void {
    for (const wake of commit.wakes) if (wake.kind === 'redaction') this.#cache.delete(wake.nid);
  }

  /** In the order of `rows`; all of one room. */
  async ofRows(rows: readonly EventRow[]): Promise<EventFragment[]> {
    const missing = rows.filter((row) => !this.#cache.has(row.nid));
    const forms = await eventForms(this.#ctx, missing);
    const made = new Map(missing.map((row, i) => [row.nid, this.#keep(row.nid, fragmentOf(forms[i]))]));
    return rows.map((row) => made.get(row.nid) ?? this.#cache.find(row.nid) ?? lost(row.nid));
  }

  /** In the order of `nids`; all of one room. */
  async ofNids(nids: readonly number[]): Promise<EventFragment[]> {
    const missing = nids.filter((nid) => !this.#cache.has(nid));
    const rows = missing.length === 0 ? [] : await this.#ctx.db.all(eventsByNids, { nids: missing });
    const forms = await eventForms(this.#ctx, rows);
    const made = new Map(rows.map((row, i) => [row.nid, this.#keep(row.nid, fragmentOf(forms[i]))]));
    return nids.map((nid) => made.get(nid) ?? this.#cache.find(nid) ?? lost(nid));
  }

  /** A message needs nothing but itself; a state event also says what was before it. */
  async ofEntries(entries: readonly TimelineEntry[], rules: RoomVersionRules): Promise<EventFragment[]> {
    const nids: number[] = [];
    for (const { nid, event } of entries) {
      if (this.#cache.has(nid)) continue;
      if (event.stateKey === undefined) {
        const form = { event: toClientEvent(event.pdu, { eventId: event.eventId, rules }), unsigned: {} };
        this.#keep(nid, fragmentOf(form));
      } else nids.push(nid);
    }
    if (nids.length > 0) await this.ofNids(nids);
    const cached = entries.map(({ nid }) => this.#cache.find(nid));
    return cached.every((fragment) => fragment !== undefined) ? cached : this.ofNids(entries.map(({ nid }) => nid));
  }

  #keep(nid: number, fragment: EventFragment): EventFragment {
    this.#cache.set(nid, fragment);
    return fragment;
  }
}

/** What an event says to one reader alone. */
export interface ReaderFields {
  readonly transactionId?: string | undefined;
  readonly membership?: string | undefined;
}

export function renderEvent(fragment: EventFragment, nowMs: number, reader: ReaderFields): string {
  const age = Math.max(0, nowMs - fragment.originServerTs);
  const transaction =
    reader.transactionId === undefined ? '' : `,"transaction_id":${JSON.stringify(reader.transactionId)}`;
  const membership = reader.membership === undefined ? '' : `,"membership":${JSON.stringify(reader.membership)}`;
  return `${fragment.head}${age}${membership}${transaction}${fragment.tail}`;
}

function fragmentOf(form: EventForm | undefined): EventFragment {
  if (form === undefined) throw new Error('one form for each event');
  const { event, unsigned } = form;
  const text = JSON.stringify(event);
  const rest = JSON.stringify(unsigned);
  return {
    type: String(event['type']),
    sender: String(event['sender']),
    stateKey: typeof event['state_key'] === 'string' ? event['state_key'] : undefined,
    content: event['content'] as JsonObject,
    originServerTs: Number(event['origin_server_ts']),
    head: `${text.slice(0, -1)},"unsigned":{"age":`,
    tail: rest === '{}' ? '}}' : `,${rest.slice(1)}}`,
  };
}

function lost(nid: number): never {
  throw new Error(`event ${nid} is not in the database`);
}
