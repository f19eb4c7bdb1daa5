/** Turns events into entries of the search index. What is written together with the progress is there exactly when it is. */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { Lru } from '../platform/lru.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { pduOf } from '../rooms/stored-event.ts';
import type { Derivation } from '../rooms/stream-follower.ts';
import type { Wake } from '../storage/database.ts';
import {
  type SearchableRow,
  deleteSearchEntries,
  insertSearchEntries,
  isRedactedById,
  searchableAfter,
  searchableElsewhere,
} from '../storage/stores/search-store.ts';
import { type StreamProgress, setStreamProgress } from '../storage/stores/stream-progress-store.ts';
import { searchEntryOf, searchedTextOf } from './indexed-event.ts';

/** What an event means for the index. */
export type IndexWork =
  | { readonly kind: 'text'; readonly nid: number; readonly room: number; readonly text: string }
  | { readonly kind: 'removal'; readonly nid: number }
  /** The room is end-to-end encrypted from now on. */
  | { readonly kind: 'encryption'; readonly room: number };

/** undefined: nothing. Redactions are told of what they redact by a wake of their own. */
function workOfEvent(room: number, nid: number, event: RoomEvent): IndexWork | undefined {
  if (isEncryption(event)) return { kind: 'encryption', room };
  const text = searchedTextOf(event);
  return text === '' ? undefined : { kind: 'text', nid, room, text };
}

const knownRoomsMax = 10_000;
const sliceEvents = 500;

/** The derivation that keeps the index. */
export class IndexWriter implements Derivation<IndexWork, SearchableRow> {
  readonly name = 'search';
  readonly #ctx: Pick<RoomsContext, 'db' | 'states'>;
  readonly #encrypted = new Lru<number, boolean>({ sizeMax: knownRoomsMax });

  constructor(ctx: Pick<RoomsContext, 'db' | 'states'>) {
    this.#ctx = ctx;
  }

  rowsAfter(room: number, ord: number, limit: number): Promise<readonly SearchableRow[]> {
    return this.#ctx.db.all(searchableAfter, { room, ord, limit });
  }
  rowsElsewhere(room: number, pos: number): Promise<readonly SearchableRow[]> {
    return this.#ctx.db.all(searchableElsewhere, { room, pos });
  }
  workOfWake(wake: Wake): IndexWork | undefined {
    if (wake.kind === 'event' || wake.kind === 'history') return workOfEvent(wake.room, wake.nid, wake.event);
    return wake.kind === 'redaction' ? { kind: 'removal', nid: wake.nid } : undefined;
  }
  charsOf(work: IndexWork): number {
    return work.kind === 'text' ? work.text.length : 0;
  }

  /** Of a stored event. */
  async workOfRow(row: SearchableRow): Promise<IndexWork | undefined> {
    const { nid, room, type } = row;
    const pdu = pduOf(row);
    if (type === 'm.room.redaction') return this.#workOfRedaction(pdu);
    const { state_key: stateKey, content } = pdu as { state_key?: string; content: JsonObject };
    if (isEncryption({ type, stateKey })) return { kind: 'encryption', room };
    const text = row.redacted_by === null ? searchedTextOf({ type, stateKey, content }) : '';
    return text === '' ? undefined : { kind: 'text', nid, room, text };
  }

  /** Resolves when it is on disk. */
  async write(works: readonly IndexWork[], progress: StreamProgress): Promise<void> {
    for (const work of works) if (work.kind === 'encryption') await this.#clearRoom(work.room);
    // The last work of an event counts: what is removed does not come back.
    const entries = new Map<number, string | undefined>();
    for (const work of works) {
      if (work.kind === 'removal') entries.set(work.nid, undefined);
      else if (work.kind === 'text' && !(this.#encrypted.find(work.room) ?? (await this.#isEncrypted(work.room))))
        entries.set(work.nid, searchEntryOf(this.#ctx.db.engine, work.room, work.text));
    }
    const nids = [...entries.keys()];
    const rows = [...entries].filter(([, words]) => words !== undefined);
    await this.#ctx.db.write((unit) => {
      if (nids.length > 0) unit.run(deleteSearchEntries, { nids });
      if (rows.length > 0) unit.run(insertSearchEntries, { rows: JSON.stringify(rows) });
      unit.run(setStreamProgress, { follower: this.name, ...progress });
    }).committed;
  }

  async #workOfRedaction({ redacts, content }: JsonObject): Promise<IndexWork | undefined> {
    const eventId = ((content as JsonObject)['redacts'] ?? redacts) as EventId | undefined;
    const target = typeof eventId === 'string' ? await this.#ctx.db.one(isRedactedById, { eventId }) : undefined;
    return target === undefined || target.redacted_by === null ? undefined : { kind: 'removal', nid: target.nid };
  }

  async #isEncrypted(room: number): Promise<boolean> {
    const { db, states } = this.#ctx;
    const event = await states.stateEventAt(room, db.committedPos(), 'm.room.encryption', '');
    this.#encrypted.set(room, event !== undefined);
    return event !== undefined;
  }

  /** What was said in the clear is not found any more either. Safe to repeat. */
  async #clearRoom(room: number): Promise<void> {
    this.#encrypted.set(room, true);
    for (let ord = Number.MIN_SAFE_INTEGER; ;) {
      const rows = await this.#ctx.db.all(searchableAfter, { room, ord, limit: sliceEvents });
      const nids = rows.map(({ nid }) => nid);
      if (nids.length > 0) await this.#ctx.db.write((unit) => unit.run(deleteSearchEntries, { nids })).committed;
      const last = rows.at(-1);
      if (last === undefined || rows.length < sliceEvents) return;
      ord = last.ord;
    }
  }
}

const isEncryption = ({ type, stateKey }: Pick<RoomEvent, 'type'> & { stateKey?: string | undefined }): boolean =>
  type === 'm.room.encryption' && stateKey === '';
