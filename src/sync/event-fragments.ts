/**
 * Events as text, serialised once: what differs between readers is put in between. The text is of the sync format, without
 * room_id. https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
import { type JsonObject, isJsonObject } from '../matrix/json/json-value.ts';
import { numericValue } from '../matrix/json/raw-number.ts';
import { stickyDuration } from '../matrix/events/sticky.ts';
import { toClientEvent } from '../matrix/events/client-event.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { Lru } from '../platform/lru.ts';
import { type EventForm, eventForms } from '../rooms/client-events.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { Authorship, IsErased } from '../rooms/erasure.ts';
import type { TimelineEntry } from '../rooms/event-effects.ts';
import type { Commit } from '../storage/database.ts';
import { type EventPlace, type EventRow, eventsByNids } from '../storage/stores/timeline-store.ts';

export interface EventFragment {
  readonly nid: number;
  readonly type: string;
  readonly sender: string;
  readonly senderNid: number;
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  readonly originServerTs: number;
  /** Where the event stands that this one replaced in the state; undefined: it replaced none. */
  readonly previousPos: number | undefined;
  /** For its sender: by which delayed event it came about. */
  readonly delayId: string | undefined;
  /** For how long it is sticky; undefined: it is not. */
  readonly stickyMs: number | undefined;
  /** Up to the number of unsigned.age. */
  readonly head: string;
  /** From behind what differs between readers, without and with unsigned.prev_content. */
  readonly tail: string;
  readonly tailWithPrevious: string;
  /** Events whose content is part of the text. */
  readonly embedded: readonly number[];
  /** Of the event and what is embedded. */
  readonly authors: readonly Authorship[];
}

/** Who gets the text. */
export interface FragmentReader {
  /** Tells which events the reader gets redacted; undefined: none of these. */
  erasedAmong(fragments: readonly EventFragment[]): Promise<IsErased | undefined>;
}

const cacheBytesMax = 64 * 1024 * 1024;
/** A read that is slower than that many redactions does not exist. */
const redactedMax = 10_000;

export class EventFragments {
  readonly #ctx: RoomsContext;
  readonly #cache: Lru<number, EventFragment>;
  /** Embedded event → cached fragments whose text it is part of. */
  readonly #embeddedIn = new Map<number, Set<number>>();
  /** What was redacted lately, so that rows which were read before are told from those read after. */
  readonly #redacted = new Lru<number, true>({ sizeMax: redactedMax });

  constructor(ctx: RoomsContext) {
    this.#ctx = ctx;
    this.#cache = new Lru({
      sizeMax: cacheBytesMax,
      sizeOf: ({ head, tail, tailWithPrevious }) => 2 * (head.length + tail.length + tailWithPrevious.length) + 300,
      onEvicted: (nid, fragment) => this.#unlink(nid, fragment),
    });
  }

  onCommit(commit: Commit): void {
    for (const wake of commit.wakes) {
      if (wake.kind !== 'redaction') continue;
      this.#redacted.set(wake.nid, true);
      this.#drop(wake.nid);
      for (const nid of this.#embeddedIn.get(wake.nid) ?? []) this.#drop(nid);
    }
  }

  /**
   * Makes those of many rooms together, for whoever asks for them room by room right after. Given are those that there are, in no
   * order and as they stand in the database: not to be shown to a reader.
   */
  async prepare(nids: readonly number[]): Promise<EventFragment[]> {
    const known = nids.flatMap((nid) => this.#cache.find(nid) ?? []);
    const made = await this.#make(await this.#rowsOf(nids.filter((nid) => !this.#cache.has(nid))));
    return [...known, ...made.values()];
  }

  /** What events have as their content, by their numbers: not to be shown to a reader. */
  async contentsOf(nids: readonly number[]): Promise<ReadonlyMap<number, JsonObject>> {
    return new Map((await this.prepare(nids)).map(({ nid, content }) => [nid, content]));
  }

  /** In the order of `places`; all of one room. What has a body is not read again. */
  async ofPlaces(places: readonly (EventPlace | EventRow)[], reader: FragmentReader): Promise<EventFragment[]> {
    const rows = places.filter((place) => 'body' in place);
    if (rows.length === places.length) return this.ofRows(rows, reader);
    return this.ofNids(
      places.map(({ nid }) => nid),
      reader,
    );
  }

  /** In the order of `rows`; all of one room. */
  async ofRows(rows: readonly EventRow[], reader: FragmentReader): Promise<EventFragment[]> {
    const cached = rows.map((row) => this.#cache.find(row.nid));
    const missing = rows.filter((_row, index) => cached[index] === undefined);
    const made = await this.#make(missing);
    const fragments = rows.map((row, index) => cached[index] ?? made.get(row.nid) ?? lost(row.nid));
    return this.#shownTo(reader, fragments);
  }

  /** In the order of `nids`; all of one room. */
  async ofNids(nids: readonly number[], reader: FragmentReader): Promise<EventFragment[]> {
    const cached = nids.map((nid) => this.#cache.find(nid));
    const missing = nids.filter((_nid, index) => cached[index] === undefined);
    const made = await this.#make(await this.#rowsOf(missing));
    const fragments = nids.map((nid, index) => cached[index] ?? made.get(nid) ?? lost(nid));
    return this.#shownTo(reader, fragments);
  }

  /** A message needs nothing but itself; a state event also says what was before it. */
  async ofEntries(
    entries: readonly TimelineEntry[],
    rules: RoomVersionRules,
    reader: FragmentReader,
  ): Promise<EventFragment[]> {
    const found = entries.map((entry) => this.#cache.find(entry.nid) ?? this.#ofEntry(entry, rules));
    const missing = entries.filter((_entry, index) => found[index] === undefined);
    const made = await this.#make(await this.#rowsOf(missing.map(({ nid }) => nid)));
    const fragments = entries.map(({ nid }, index) => found[index] ?? made.get(nid) ?? lost(nid));
    return this.#shownTo(reader, fragments);
  }

  /** What the reader gets redacted is made anew each time, and for them alone: nothing of it is kept. */
  async #shownTo(reader: FragmentReader, fragments: EventFragment[]): Promise<EventFragment[]> {
    const isErased = await reader.erasedAmong(fragments);
    if (isErased === undefined) return fragments;
    const erased = new Set(fragments.flatMap(({ nid, authors }) => (authors.some(isErased) ? nid : [])));
    const made = await this.#make(await this.#rowsOf([...erased]), isErased);
    return fragments.map((fragment) =>
      erased.has(fragment.nid) ? (made.get(fragment.nid) ?? lost(fragment.nid)) : fragment,
    );
  }

  #ofEntry({ nid, pos, senderNid, event, marks }: TimelineEntry, rules: RoomVersionRules): EventFragment | undefined {
    if (event.stateKey !== undefined || marks !== 0 || this.#redacted.has(nid)) return undefined;
    const form = {
      event: toClientEvent(event.pdu, { eventId: event.eventId, rules }),
      unsigned: {},
      previous: undefined,
      delayId: undefined,
      embedded: [],
      authors: [{ sender: event.sender, pos }],
    };
    return this.#keep(fragmentOf(form, nid, senderNid));
  }

  /** Of an event that has no place here and replaces none. It is not kept. */
  ofAlone(event: RoomEvent, rules: RoomVersionRules, senderNid: number): EventFragment {
    const form = { unsigned: {}, previous: undefined, delayId: undefined, embedded: [], authors: [] };
    return fragmentOf({ ...form, event: toClientEvent(event.pdu, { eventId: event.eventId, rules }) }, 0, senderNid);
  }

  async #rowsOf(nids: readonly number[]): Promise<EventRow[]> {
    return nids.length === 0 ? [] : this.#ctx.db.all(eventsByNids, { nids });
  }

  /**
   * Rows that were read before a redaction and finished after it are read again. What is made for one reader (`isErased`) is
   * not kept.
   */
  async #make(rows: readonly EventRow[], isErased?: IsErased): Promise<Map<number, EventFragment>> {
    const made = new Map<number, EventFragment>();
    for (let left = rows; left.length > 0;) {
      const forms = await eventForms(this.#ctx, left, isErased);
      const outdated: number[] = [];
      for (const [index, row] of left.entries()) {
        const form = forms[index];
        if (form === undefined) throw new Error('one form for each event');
        if (form.sources.some((source) => source.row.redacted_by === null && this.#redacted.has(source.row.nid))) {
          outdated.push(row.nid);
          continue;
        }
        const embedded = form.sources.slice(1).map((source) => source.row.nid);
        const authors = form.sources.map(({ sender, pos }) => ({ sender, pos }));
        const fragment = fragmentOf({ ...form, embedded, authors }, row.nid, row.sender);
        made.set(row.nid, isErased === undefined ? this.#keep(fragment) : fragment);
      }
      left = await this.#rowsOf(outdated);
    }
    return made;
  }

  #keep(fragment: EventFragment): EventFragment {
    const { nid } = fragment;
    this.#drop(nid);
    for (const embedded of fragment.embedded) {
      const within = this.#embeddedIn.get(embedded) ?? new Set();
      within.add(nid);
      this.#embeddedIn.set(embedded, within);
    }
    this.#cache.set(nid, fragment);
    return fragment;
  }

  #drop(nid: number): void {
    const fragment = this.#cache.find(nid);
    if (fragment === undefined) return;
    this.#cache.delete(nid);
    this.#unlink(nid, fragment);
  }

  #unlink(nid: number, fragment: EventFragment): void {
    for (const embedded of fragment.embedded) {
      const within = this.#embeddedIn.get(embedded);
      within?.delete(nid);
      if (within?.size === 0) this.#embeddedIn.delete(embedded);
    }
  }
}

/** What an event says to one reader alone. */
export interface ReaderFields {
  readonly userNid?: number;
  readonly transactionId?: string | undefined;
  readonly membership?: string | undefined;
  /** Whether the reader may see the event that this one replaced in the state. */
  readonly seesPrevious: boolean;
  /** What relates to the event, as JSON text. */
  readonly relations?: string | undefined;
}

export function renderEvent(fragment: EventFragment, nowMs: number, reader: ReaderFields): string {
  const age = Math.max(0, nowMs - fragment.originServerTs);
  const transaction =
    reader.transactionId === undefined ? '' : `,"transaction_id":${JSON.stringify(reader.transactionId)}`;
  const membership = reader.membership === undefined ? '' : `,"membership":${JSON.stringify(reader.membership)}`;
  const delay =
    fragment.delayId === undefined || fragment.senderNid !== reader.userNid
      ? ''
      : `,"org.matrix.msc4140.delay_id":${JSON.stringify(fragment.delayId)},"delay_id":${JSON.stringify(fragment.delayId)}`;
  const tail = reader.seesPrevious ? fragment.tailWithPrevious : fragment.tail;
  const relations = reader.relations === undefined ? '' : `,"m.relations":${reader.relations}`;
  return `${fragment.head}${age}${membership}${transaction}${delay}${stickyText(fragment, nowMs)}${relations}${tail}`;
}

/** How long the reader can still rely on a sticky event. MSC4354. */
function stickyText({ stickyMs, originServerTs }: EventFragment, nowMs: number): string {
  if (stickyMs === undefined) return '';
  const leftMs = Math.min(originServerTs, nowMs) + stickyMs - nowMs;
  return leftMs > 0 ? `,"msc4354_sticky_duration_ttl_ms":${leftMs}` : '';
}

type FragmentParts = Pick<EventForm, 'event' | 'unsigned' | 'previous' | 'delayId'> &
  Pick<EventFragment, 'embedded' | 'authors'>;

function fragmentOf(parts: FragmentParts, nid: number, senderNid: number): EventFragment {
  const { event, unsigned, previous, embedded, authors } = parts;
  const text = JSON.stringify(event);
  const tail = tailOf(unsigned);
  const { content, origin_server_ts: sentTs } = event;
  return {
    nid,
    type: textAt(event, 'type') ?? '',
    sender: textAt(event, 'sender') ?? '',
    senderNid,
    stateKey: textAt(event, 'state_key'),
    content: isJsonObject(content) ? content : {},
    originServerTs: numericValue(sentTs) ?? 0,
    previousPos: previous?.pos,
    delayId: parts.delayId,
    stickyMs: stickyDuration(event),
    head: `${text.slice(0, -1)},"unsigned":{"age":`,
    tail,
    tailWithPrevious: previous === undefined ? tail : tailOf({ ...unsigned, ...previous.unsigned }),
    embedded,
    authors,
  };
}

function textAt(event: JsonObject, key: string): string | undefined {
  const value = event[key];
  return typeof value === 'string' ? value : undefined;
}

function tailOf(unsigned: JsonObject): string {
  const rest = JSON.stringify(unsigned);
  return rest === '{}' ? '}}' : `,${rest.slice(1)}}`;
}

/** An event that was there when its number was read has been purged since. What asked for it asks anew. */
export class EventForgotten extends Error {
  override readonly name = 'EventForgotten';
}

function lost(nid: number): never {
  throw new EventForgotten(`event ${nid} is not in the database`);
}
