/** The events themselves, by number: parsed once, kept while they are used. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import { roomEventFromPdu } from '../../matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { decodeEventBody } from '../../storage/event-body.ts';
import type { Reads } from '../../storage/snapshot.ts';
import { bodiesByNids } from '../../storage/stores/room-graph-store.ts';
import { Lru } from '../../platform/lru.ts';

const CACHE_BYTES_MAX = 32 * 1024 * 1024;
/** What a body takes in memory once it is parsed, as a multiple of its length. */
const PARSED_FACTOR = 3;
const USUAL_BODY_BYTES = 1_000;
const NIDS_PER_QUERY = 500;

interface CachedEvent {
  readonly event: RoomEvent;
  readonly bytes: number;
}

/** Shared by all rooms. */
export class RoomEventCache {
  readonly #db: Reads;
  readonly #events = new Lru<number, CachedEvent>({ sizeMax: CACHE_BYTES_MAX, sizeOf: (cached) => cached.bytes });

  constructor(db: Reads) {
    this.#db = db;
  }

  /**
   * Throws when one of them has no body: an event that something names is never without. `settled` is called before
   * that, because it may be in a unit under way.
   */
  async load(
    nids: Iterable<number>,
    rules: RoomVersionRules,
    settled?: () => Promise<void>,
  ): Promise<Map<number, RoomEvent>> {
    const events = new Map<number, RoomEvent>();
    let missing: number[] = [];
    for (const nid of nids) {
      const cached = this.#events.find(nid);
      if (cached !== undefined) events.set(nid, cached.event);
      else missing.push(nid);
    }
    missing = await this.#query(missing, rules, events);
    if (missing.length > 0 && settled !== undefined) {
      await settled();
      missing = await this.#query(missing, rules, events);
    }
    if (missing.length > 0) throw new Error(`events without a body: ${missing.join(', ')}`);
    return events;
  }

  peek(nid: number): RoomEvent | undefined {
    return this.#events.find(nid)?.event;
  }

  /** Those that were not found. */
  async #query(nids: readonly number[], rules: RoomVersionRules, into: Map<number, RoomEvent>): Promise<number[]> {
    for (let at = 0; at < nids.length; at += NIDS_PER_QUERY) {
      for (const row of await this.#db.all(bodiesByNids, { nids: nids.slice(at, at + NIDS_PER_QUERY) })) {
        const event = parseBody(row.event_id as EventId, row.body, rules);
        this.#events.set(row.nid, { event, bytes: row.body.length * PARSED_FACTOR });
        into.set(row.nid, event);
      }
    }
    return nids.filter((nid) => !into.has(nid));
  }

  put(nid: number, event: RoomEvent, bodyBytes = USUAL_BODY_BYTES): void {
    this.#events.set(nid, { event, bytes: bodyBytes * PARSED_FACTOR });
  }

  forget(nid: number): void {
    this.#events.delete(nid);
  }
}

function parseBody(eventId: EventId, body: Buffer, rules: RoomVersionRules): RoomEvent {
  const pdu: unknown = JSON.parse(decodeEventBody(body));
  if (!isJsonObject(pdu)) throw new Error(`the body of ${eventId} is not an object`);
  return roomEventFromPdu(pdu, rules, eventId);
}
