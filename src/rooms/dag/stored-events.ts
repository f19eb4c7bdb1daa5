/** All events of a room, as they are stored. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { Reads } from '../../storage/snapshot.ts';
import {
  type EventPlaceRow,
  placesByNids,
  placesOffTail,
  placesOnTail,
} from '../../storage/stores/room-graph-store.ts';
import { outliersOf } from '../../storage/stores/room-purge-store.ts';
import { type EventPlace, placeFromRow } from './event-places.ts';
import { RoomEventCache } from './room-events.ts';
import { NOW } from './state-point.ts';

export interface StoredEvent {
  readonly place: EventPlace;
  readonly event: RoomEvent;
}

const EVENTS_PER_QUERY = 500;

export async function loadStoredEvents(
  db: Reads,
  room: number,
  rules: RoomVersionRules,
): Promise<Map<EventId, StoredEvent>> {
  const cache = new RoomEventCache(db);
  const stored = new Map<EventId, StoredEvent>();
  for await (const rows of pages(db, room)) {
    const places = rows.map(placeFromRow);
    const events = await cache.load(
      places.map((place) => place.nid),
      rules,
    );
    for (const place of places) stored.set(place.eventId, { place, event: events.get(place.nid)! });
  }
  return stored;
}

async function* pages(db: Reads, room: number): AsyncGenerator<EventPlaceRow[]> {
  const limit = EVENTS_PER_QUERY;
  const all = { room, limit };
  for (let aboveOrd = -NOW, rows: EventPlaceRow[] = []; ; aboveOrd = rows.at(-1)!.ord!) {
    rows = await db.all(placesOnTail, { ...all, aboveOrd, upToOrd: NOW });
    yield rows;
    if (rows.length < limit) break;
  }
  for (let above = -1, rows: EventPlaceRow[] = []; ; above = rows.at(-1)!.pos!) {
    rows = await db.all(placesOffTail, { ...all, above, upTo: NOW });
    yield rows;
    if (rows.length < limit) break;
  }
  for (let above = 0, outliers: { nid: number }[] = []; ; above = outliers.at(-1)!.nid) {
    outliers = await db.all(outliersOf, { ...all, above });
    yield outliers.length === 0 ? [] : await db.all(placesByNids, { nids: outliers.map(({ nid }) => nid) });
    if (outliers.length < limit) break;
  }
}
