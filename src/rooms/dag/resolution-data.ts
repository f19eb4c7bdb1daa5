/** What one resolution has fetched, in the forms in which the pure functions of state resolution ask for it. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import type { AuthDag, AuthDagNeed, UnconflictedKeys } from '../../matrix/state-res/full-conflicted-set.ts';
import type { ResolutionNeed, ResolutionSource } from '../../matrix/state-res/resolution-source.ts';
import { stateMapKey } from '../../matrix/state-res/state-map.ts';
import type { AuthNode } from './auth-graph.ts';
import type { EventPlace } from './event-places.ts';
import { eventsAt } from './lines.ts';
import type { RoomView } from './room-view.ts';
import type { Point } from './state-point.ts';

/** About five milliseconds. */
const ITEMS_PER_TURN = 100;

export class ResolutionData {
  readonly #view: RoomView;
  readonly #anyState: Point;
  readonly #nodes = new Map<number, AuthNode>();
  readonly #citing = new Map<number, readonly number[]>();
  readonly #unconflictedNids = new Map<number, number | null>();
  readonly #places = new Map<EventId, EventPlace>();
  readonly #events = new Map<EventId, RoomEvent>();
  readonly #unconflictedEvents = new Map<string, RoomEvent | null>();
  #itemsSincePause = 0;

  /** `anyState`: one of the states; they agree on all keys but `differing`. */
  constructor(view: RoomView, anyState: Point, differing: Iterable<number>) {
    this.#view = view;
    this.#anyState = anyState;
    for (const skey of differing) this.#unconflictedNids.set(skey, null);
  }

  readonly dag: AuthDag = {
    has: (nid) => this.#nodes.has(nid),
    auth: (nid) => this.#node(nid).auth,
    depth: (nid) => this.#node(nid).adepth,
    chain: (nid) => this.#node(nid).chain,
    seq: (nid) => this.#node(nid).seq,
    key: (nid) => this.#node(nid).skey,
    hasCiting: (nid) => this.#citing.has(nid),
    citing: (nid) => this.#citing.get(nid) ?? [],
  };

  readonly unconflictedKeys: UnconflictedKeys = {
    has: (skey) => this.#unconflictedNids.has(skey),
    find: (skey) => this.#unconflictedNids.get(skey) ?? undefined,
  };

  readonly source: ResolutionSource = {
    event: (eventId) => this.#events.get(eventId),
    isRejected: (eventId) => this.#view.isRejected(this.#place(eventId)),
    unconflicted: (type, stateKey) => this.#unconflictedEvents.get(stateMapKey(type, stateKey)),
  };

  async supplyDag(need: AuthDagNeed): Promise<void> {
    await this.#takeTurns(need.nodes.length + need.citing.length);
    await this.loadUnconflictedNids(need.unconflicted);
    const heads = need.unconflicted.map((skey) => this.#unconflictedNids.get(skey) ?? null);
    const nodes = [...need.nodes, ...heads.filter((nid) => nid !== null)];
    for (const [nid, node] of await this.#view.nodes(nodes)) this.#nodes.set(nid, node);
    if (need.citing.length === 0) return;
    for (const [nid, citing] of await this.#view.citing(need.citing)) this.#citing.set(nid, citing);
  }

  async supplyEvents(need: ResolutionNeed): Promise<void> {
    await this.#takeTurns(need.events.length);
    const places = await this.#view.places(need.events);
    await this.loadEvents([...places.values()].map((place) => place.nid));
    if (need.unconflicted.length === 0) return;
    const keys = need.unconflicted.map(([type, key]) => ({ type, key }));
    const skeys = await this.#view.room.services.names.findSkeys(keys);
    await this.loadUnconflictedNids(skeys.filter((skey) => skey !== undefined));
    const nids = skeys.map((skey) => (skey === undefined ? null : (this.#unconflictedNids.get(skey) ?? null)));
    const events = await this.loadEvents(nids.filter((nid) => nid !== null));
    for (const [index, { type, key }] of keys.entries()) {
      const nid = nids[index] ?? null;
      this.setUnconflicted(type, key, nid === null ? null : (events.get(nid) ?? null));
    }
  }

  setUnconflicted(type: string, stateKey: string, event: RoomEvent | null): void {
    const key = stateMapKey(type, stateKey);
    if (!this.#unconflictedEvents.has(key)) this.#unconflictedEvents.set(key, event);
  }

  async loadUnconflictedNids(skeys: readonly number[]): Promise<ReadonlyMap<number, number | null>> {
    const wanted = skeys.filter((skey) => !this.#unconflictedNids.has(skey));
    if (wanted.length > 0) {
      const found = await eventsAt(this.#view.lines, this.#anyState, wanted);
      for (const skey of wanted) this.#unconflictedNids.set(skey, found.get(skey) ?? null);
    }
    return this.#unconflictedNids;
  }

  /** Events with their places, which hold the verdicts. */
  async loadEvents(nids: Iterable<number>): Promise<Map<number, RoomEvent>> {
    const events = await this.#view.events(nids);
    const unplaced = [...events.values()].map((event) => event.eventId).filter((id) => !this.#places.has(id));
    for (const [eventId, place] of await this.#view.places(unplaced)) this.#places.set(eventId, place);
    for (const event of events.values()) this.#events.set(event.eventId, event);
    return events;
  }

  /** Number and key of a state event that was loaded. */
  keyOf(event: RoomEvent): { readonly skey: number; readonly nid: number } {
    const { skey, nid } = this.#place(event.eventId);
    if (skey === null) throw new Error(`${event.eventId} is not a state event`);
    return { skey, nid };
  }

  /** In a long resolution, lets others do something now and then. */
  async #takeTurns(items: number): Promise<void> {
    this.#itemsSincePause += items;
    if (this.#itemsSincePause < ITEMS_PER_TURN) return;
    this.#itemsSincePause = 0;
    await this.#view.room.services.pause();
  }

  #node(nid: number): AuthNode {
    const node = this.#nodes.get(nid);
    if (node === undefined) throw new Error(`event ${nid} is not in the auth graph`);
    return node;
  }

  #place(eventId: EventId): EventPlace {
    const place = this.#places.get(eventId);
    if (place === undefined) throw new Error(`${eventId} was not loaded`);
    return place;
  }
}
