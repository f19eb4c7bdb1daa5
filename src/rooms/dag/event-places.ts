/** Where the events of a room stand, as far as it was asked lately. */
import type { EventId } from '../../matrix/ids/ids.ts';
import type { Database } from '../../storage/database.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { type EventPlaceRow, placesByIds, placesByNids } from '../../storage/stores/room-graph-store.ts';
import type { Point } from './state-point.ts';
import { type Pin, WriteThroughCache } from './write-through-cache.ts';

const PLACES_CACHED_MAX = 500;

export interface EventPlace {
  readonly nid: number;
  readonly eventId: EventId;
  readonly ord: number | null;
  /** The position at which it was judged; null: an outlier, which never was. */
  readonly pos: number | null;
  /** Its state key; null: not a state event. */
  readonly skey: number | null;
  readonly depth: number;
  /** The state after it; null: that of the main line at its own position (R2). */
  readonly point: Point | null;
  readonly flags: number;
  readonly notifySeq: number;
}

export const isRejected = (place: EventPlace): boolean => (place.flags & EventFlag.rejected) !== 0;

/** Accepted, not soft-failed, not fetched as history: only such events touch the forward extremities (R14). */
export const isCounted = (place: EventPlace): boolean => (place.flags & uncountedFlags) === 0;

const uncountedFlags = EventFlag.outlier | EventFlag.rejected | EventFlag.softFailed | EventFlag.backfilled;

export class EventPlaces {
  readonly #db: Database;
  readonly #room: number;
  readonly #byId = new WriteThroughCache<EventId, EventPlace>(PLACES_CACHED_MAX);

  constructor(db: Database, room: number) {
    this.#db = db;
    this.#room = room;
  }

  peek(eventId: EventId): EventPlace | undefined {
    return this.#byId.get(eventId);
  }

  /** Those that are known in this room, outliers included. */
  async find(eventIds: readonly EventId[]): Promise<Map<EventId, EventPlace>> {
    const places = new Map<EventId, EventPlace>();
    const missing: EventId[] = [];
    for (const eventId of eventIds) {
      const cached = this.#byId.get(eventId);
      if (cached !== undefined) places.set(eventId, cached);
      else missing.push(eventId);
    }
    if (missing.length === 0) return places;
    this.#keep(await this.#db.all(placesByIds, { eventIds: missing }), (place) => places.set(place.eventId, place));
    return places;
  }

  async findByNids(nids: readonly number[]): Promise<Map<number, EventPlace>> {
    const places = new Map<number, EventPlace>();
    this.#keep(await this.#db.all(placesByNids, { nids: [...nids] }), (place) => places.set(place.nid, place));
    return places;
  }

  keep(place: EventPlace): void {
    this.#byId.keep(place.eventId, place);
  }

  /** It was handed in. */
  wrote(place: EventPlace, pin: Pin): void {
    this.#byId.wrote(place.eventId, place, pin);
  }

  clear(): void {
    this.#byId.clear();
  }

  #keep(rows: readonly EventPlaceRow[], each: (place: EventPlace) => void): void {
    for (const row of rows) {
      if (row.room !== this.#room) continue;
      const place = placeFromRow(row);
      this.#byId.keep(place.eventId, place);
      each(this.#byId.get(place.eventId) ?? place);
    }
  }
}

export function placeFromRow(row: EventPlaceRow): EventPlace {
  return {
    nid: row.nid,
    eventId: row.event_id as EventId,
    ord: row.ord,
    pos: row.pos,
    skey: row.skey,
    depth: row.depth,
    point: row.sline === null ? null : { line: row.sline, pos: row.spos ?? 0 },
    flags: row.flags,
    notifySeq: row.notify_seq,
  };
}
