/**
 * The children of events. There is no table of them: what an event refers to stands in its body, and almost nobody asks the
 * other way round. So the bodies of what was judged after an event are read; children that were judged before it had to
 * remember that it was missing.
 */
import type { EventId } from '../../matrix/ids/ids.ts';
import {
  type EventPlaceRow,
  missingRefsTo,
  placesOffTail,
  placesOnTail,
} from '../../storage/stores/room-graph-store.ts';
import { type EventPlace, isCounted, placeFromRow } from './event-places.ts';
import { TooManyChanges } from './lines.ts';
import type { RoomView } from './room-view.ts';
import { NOW } from './state-point.ts';

const EVENTS_PER_QUERY = 500;
export class Lineage {
  readonly #view: RoomView;
  readonly #eventsMax: number;
  /** Everything that was judged above this position is indexed. */
  #coveredAbove = NOW;
  readonly #indexed = new Set<EventId>();
  readonly #places = new Map<EventId, EventPlace>();
  readonly #children = new Map<EventId, Set<EventId>>();

  /** `eventsMax`: how many later events may be read before it throws TooManyChanges. */
  constructor(view: RoomView, eventsMax: number) {
    this.#view = view;
    this.#eventsMax = eventsMax;
  }

  /** As the unit leaves them. */
  async childrenOf(place: EventPlace): Promise<EventPlace[]> {
    await this.#cover(place.pos ?? 0);
    await this.#indexEarlierChildren(place.eventId);
    return [...(this.#children.get(place.eventId) ?? [])].map((id) => this.#view.placeOf(this.#places.get(id)!));
  }

  /**
   * Whether a counted event refers to this one, seen through uncounted events (R14). A child that was purged counts as it did
   * then.
   */
  async isReferenced(place: EventPlace): Promise<boolean> {
    const seen = new Set([place.eventId]);
    const toVisit = [place];
    for (let at = toVisit.pop(); at !== undefined; at = toVisit.pop()) {
      if (await this.#isReferencedByPurged(at.eventId)) return true;
      for (const child of await this.childrenOf(at)) {
        if (isCounted(child)) return true;
        if (seen.has(child.eventId)) continue;
        seen.add(child.eventId);
        toVisit.push(child);
      }
    }
    return false;
  }

  async #cover(above: number): Promise<void> {
    if (above >= this.#coveredAbove) return;
    const { db } = this.#view.room.services;
    const { room } = this.#view.room;
    const [limit, upTo] = [EVENTS_PER_QUERY, this.#coveredAbove];
    const upToOrd = upTo === NOW ? NOW : upTo * 1024;
    let rows: EventPlaceRow[] = [];
    for (let aboveOrd = above * 1024; ; aboveOrd = rows.at(-1)!.ord!) {
      rows = await db.all(placesOnTail, { room, aboveOrd, upToOrd, limit });
      await this.#index(rows);
      if (rows.length < limit) break;
    }
    for (let from = above; ; from = rows.at(-1)!.pos!) {
      rows = await db.all(placesOffTail, { room, above: from, upTo, limit });
      await this.#index(rows);
      if (rows.length < limit) break;
    }
    this.#coveredAbove = above;
  }

  async #indexEarlierChildren(eventId: EventId): Promise<void> {
    const refs = await this.#view.room.services.db.all(missingRefsTo, { eventIds: [eventId] });
    if (refs.length === 0) return;
    const places = await this.#view.room.places.findByNids(refs.map((ref) => ref.by_nid));
    await this.#indexPlaces([...places.values()].filter((place) => place.pos !== null));
  }

  async #isReferencedByPurged(eventId: EventId): Promise<boolean> {
    const refs = await this.#view.room.services.db.all(missingRefsTo, { eventIds: [eventId] });
    const counted = refs.filter((ref) => ref.counted === 1);
    if (counted.length === 0) return false;
    const places = await this.#view.room.places.findByNids(counted.map((ref) => ref.by_nid));
    return counted.some((ref) => (places.get(ref.by_nid)?.pos ?? null) === null);
  }

  #index(rows: readonly EventPlaceRow[]): Promise<void> {
    return this.#indexPlaces(rows.map(placeFromRow));
  }

  async #indexPlaces(places: readonly EventPlace[]): Promise<void> {
    const added = places.filter((place) => !this.#indexed.has(place.eventId));
    if (this.#indexed.size + added.length > this.#eventsMax)
      throw new TooManyChanges(`more than ${this.#eventsMax} events came after the one to be judged again`);
    const events = await this.#view.events(added.map((place) => place.nid));
    for (const place of added) {
      this.#indexed.add(place.eventId);
      this.#places.set(place.eventId, place);
      for (const parentId of events.get(place.nid)!.prevEvents) {
        const children = this.#children.get(parentId);
        if (children === undefined) this.#children.set(parentId, new Set([place.eventId]));
        else children.add(place.eventId);
      }
    }
  }
}
