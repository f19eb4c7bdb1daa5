/**
 * A room as the computation for one unit sees it: what is committed, and what the unit is about to add. The room's earlier
 * units are committed before a view is made.
 */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { AuthNode } from './auth-graph.ts';
import { type EventPlace, isRejected } from './event-places.ts';
import type { HotRoom } from './hot-room.ts';
import { LineDraft } from './line-draft.ts';
import type { Point } from './state-point.ts';

export class RoomView {
  readonly room: HotRoom;
  readonly lines: LineDraft;
  /** Our join whose state is still partial (R11), as the unit leaves it. */
  partialNid: number | null;
  /** Events that the unit adds. */
  readonly #events = new Map<number, RoomEvent>();
  readonly #nodes = new Map<number, AuthNode>();
  /** Events whose place or verdict the unit sets. */
  readonly #places = new Map<EventId, EventPlace>();

  /** `rowsMax`: how many state changes may be looked through, see LineDraft. */
  constructor(room: HotRoom, rowsMax: number) {
    const { services } = room;
    this.room = room;
    this.partialNid = room.partialNid;
    this.lines = new LineDraft(services.lines, () => services.db.nextId(), services.limits.lineDepthMax, rowsMax);
  }

  addEvent(nid: number, event: RoomEvent): void {
    this.#events.set(nid, event);
  }

  addNode(node: AuthNode): void {
    this.#nodes.set(node.nid, node);
  }

  setPlace(place: EventPlace): void {
    this.#places.set(place.eventId, place);
  }

  get changedPlaces(): Iterable<EventPlace> {
    return this.#places.values();
  }

  /** Those that are known in this room. */
  async places(eventIds: readonly EventId[]): Promise<Map<EventId, EventPlace>> {
    if (this.#places.size === 0) return this.room.places.find(eventIds);
    const found = await this.room.places.find(eventIds.filter((eventId) => !this.#places.has(eventId)));
    for (const eventId of eventIds) {
      const place = this.#places.get(eventId);
      if (place !== undefined) found.set(eventId, place);
    }
    return found;
  }

  async events(nids: Iterable<number>): Promise<Map<number, RoomEvent>> {
    if (this.#events.size === 0) return this.room.loadEvents(nids);
    const wanted = [...nids];
    const stored = wanted.filter((nid) => !this.#events.has(nid));
    const events = await this.room.loadEvents(stored);
    for (const nid of wanted) {
      const event = this.#events.get(nid);
      if (event !== undefined) events.set(nid, event);
    }
    return events;
  }

  async nodes(nids: Iterable<number>): Promise<Map<number, AuthNode>> {
    const wanted = [...nids];
    const nodes = await this.room.graph.nodes(wanted.filter((nid) => !this.#nodes.has(nid)));
    for (const nid of wanted) {
      const node = this.#nodes.get(nid);
      if (node !== undefined) nodes.set(nid, node);
    }
    return nodes;
  }

  /** For each of the events, those that have it among their auth events. */
  async citing(nids: readonly number[]): Promise<Map<number, number[]>> {
    const citing = new Map<number, number[]>(nids.map((nid) => [nid, []]));
    for (const edge of await this.room.graph.citing(nids)) citing.get(edge.auth_nid)?.push(edge.nid);
    for (const node of this.#nodes.values()) {
      for (const authNid of node.auth) {
        const known = citing.get(authNid);
        if (known !== undefined && !known.includes(node.nid)) known.push(node.nid);
      }
    }
    return citing;
  }

  /** As the unit leaves it. */
  placeOf(place: EventPlace): EventPlace {
    return this.#places.get(place.eventId) ?? place;
  }

  /** The state after an event (R2). */
  pointAfter(place: EventPlace): Point {
    return this.room.pointAfter(this.placeOf(place));
  }

  isRejected(place: EventPlace): boolean {
    return isRejected(this.placeOf(place));
  }
}
