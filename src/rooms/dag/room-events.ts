/** The events themselves, by number: parsed once, kept while they are used. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import { roomEventFromPdu } from '../../matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { decodeEventBody } from '../../storage/event-body.ts';
import type { Database } from '../../storage/database.ts';
import { bodiesByNids } from '../../storage/stores/room-graph-store.ts';
import { Lru } from '../../platform/lru.ts';

const EVENTS_CACHED_MAX = 20_000;
const NIDS_PER_QUERY = 500;

/** Shared by all rooms. */
export class RoomEventCache {
  readonly #db: Database;
  readonly #events = new Lru<number, RoomEvent>({ sizeMax: EVENTS_CACHED_MAX });

  constructor(db: Database) {
    this.#db = db;
  }

  /** Throws when one of them has no body: an event that something names is never without. */
  async load(nids: Iterable<number>, rules: RoomVersionRules): Promise<Map<number, RoomEvent>> {
    const events = new Map<number, RoomEvent>();
    const missing: number[] = [];
    for (const nid of nids) {
      const cached = this.#events.find(nid);
      if (cached !== undefined) events.set(nid, cached);
      else missing.push(nid);
    }
    for (let at = 0; at < missing.length; at += NIDS_PER_QUERY) {
      for (const row of await this.#db.all(bodiesByNids, { nids: missing.slice(at, at + NIDS_PER_QUERY) })) {
        const event = parseBody(row.event_id as EventId, row.body, rules);
        this.#events.set(row.nid, event);
        events.set(row.nid, event);
      }
    }
    for (const nid of missing) if (!events.has(nid)) throw new Error(`event ${nid} has no body`);
    return events;
  }

  async get(nid: number, rules: RoomVersionRules): Promise<RoomEvent> {
    return this.#events.find(nid) ?? (await this.load([nid], rules)).get(nid)!;
  }

  put(nid: number, event: RoomEvent): void {
    this.#events.set(nid, event);
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
