/**
 * The state of rooms at any position and at any event, from what is committed. States are maps from interned state keys to
 * the numbers of events; rules R2, R3 and R12 of docs/decisions/0003-state-line.md.
 */
import type { Reads } from '../../storage/snapshot.ts';
import type { Names } from '../../storage/names.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { type EventPlaceRow, placesByNids } from '../../storage/stores/room-graph-store.ts';
import {
  changesAtOfLines,
  completeAtOfLines,
  mainsOfRoom,
  mainsOfRooms,
} from '../../storage/stores/state-line-store.ts';
import type { MainLines, Mains } from './main-lines.ts';
import { CommittedLines } from '../dag/committed-lines.ts';
import { canonicalPoint, completeState, differingKeys, eventAt, eventsAt } from '../dag/lines.ts';
import { NOW, type Point, pointKey } from '../dag/state-point.ts';

/** Of some keys, by number, the events that they have. */
export interface StateAround {
  readonly before: ReadonlyMap<number, number>;
  readonly after: ReadonlyMap<number, number>;
}

export class StateReader {
  readonly #db: Reads;
  readonly #names: Pick<Names, 'findSkey'>;
  readonly #lines: CommittedLines;
  readonly #mains: Pick<MainLines, 'ofRoom' | 'ofRooms'>;

  /** `mains`: where they are in memory; they are read otherwise. */
  constructor(db: Reads, names: Pick<Names, 'findSkey'>, mains?: Pick<MainLines, 'ofRoom' | 'ofRooms'>) {
    this.#db = db;
    this.#mains = mains ?? {
      ofRoom: (room) => db.all(mainsOfRoom, { room }),
      ofRooms: async (rooms) => Map.groupBy(await db.all(mainsOfRooms, { rooms }), (row) => row.room),
    };
    this.#names = names;
    this.#lines = new CommittedLines(db);
  }

  /** The current state of the room as it was at a position: O(state). */
  async stateAt(room: number, pos: number): Promise<Map<number, number>> {
    return completeState(this.#lines, await this.#mainPoint(room, pos));
  }

  /** The same of many rooms, with one read: a main line is a root, so that nothing of the state is elsewhere. */
  async statesAt(rooms: readonly number[], pos: number): Promise<Map<number, Map<number, number>>> {
    const roomOf = new Map<number, number>();
    for (const [room, mains] of await this.#mains.ofRooms(rooms)) roomOf.set(mainAt(room, mains, pos).line, room);
    const states = new Map<number, Map<number, number>>();
    for (const room of roomOf.values()) states.set(room, new Map());
    for (const { line, skey, event } of await this.#db.all(completeAtOfLines, { lines: [...roomOf.keys()], pos }))
      if (event !== null) states.get(roomOf.get(line) ?? 0)?.set(skey, event);
    return states;
  }

  /** One event of it. */
  async stateEventAt(room: number, pos: number, type: string, stateKey: string): Promise<number | undefined> {
    const skey = await this.#names.findSkey(type, stateKey);
    return skey === undefined ? undefined : eventAt(this.#lines, await this.#mainPoint(room, pos), skey);
  }

  /** Several of them, by interned key. */
  async stateEventsAt(room: number, pos: number, skeys: readonly number[]): Promise<Map<number, number>> {
    return eventsAt(this.#lines, await this.#mainPoint(room, pos), skeys);
  }

  /** The same in many rooms, with one read. Of rooms that are not known nothing is said. */
  async stateEventsInRooms(
    wanted: ReadonlyMap<number, Iterable<number>>,
    pos: number,
  ): Promise<Map<number, ReadonlyMap<number, number>>> {
    const roomOf = new Map<number, number>();
    const lines: (readonly [line: number, skeys: readonly number[]])[] = [];
    for (const [room, mains] of await this.#mains.ofRooms([...wanted.keys()])) {
      const { line } = mainAt(room, mains, pos);
      roomOf.set(line, room);
      lines.push([line, [...(wanted.get(room) ?? [])]]);
    }
    const found = new Map<number, Map<number, number>>();
    for (const room of roomOf.values()) found.set(room, new Map());
    if (lines.length === 0) return found;
    for (const { line, skey, event } of await this.#db.all(changesAtOfLines, { lines: JSON.stringify(lines), pos }))
      if (event !== null) found.get(roomOf.get(line) ?? 0)?.set(skey, event);
    return found;
  }

  /** The room's state after an event: O(state). Throws when the event has no place here. */
  async stateAfter(nid: number): Promise<Map<number, number>> {
    return completeState(this.#lines, await this.#pointAfter(await this.#place(nid)));
  }

  /** The room's state before an event: O(state). Throws when the event has no place here. */
  async stateBefore(nid: number): Promise<Map<number, number>> {
    const place = await this.#place(nid);
    const state = await completeState(this.#lines, await this.#pointAfter(place));
    if (place.skey === null || isRejected(place)) return state;
    const before = await this.#ownKeyBefore(place, place.skey);
    if (before === null) state.delete(place.skey);
    else state.set(place.skey, before);
    return state;
  }

  async stateEventAfter(nid: number, type: string, stateKey: string): Promise<number | undefined> {
    const skey = await this.#names.findSkey(type, stateKey);
    if (skey === undefined) return undefined;
    return eventAt(this.#lines, await this.#pointAfter(await this.#place(nid)), skey);
  }

  /** Several events of the state after an event, by interned key. */
  async stateEventsAfter(nid: number, skeys: readonly number[]): Promise<Map<number, number>> {
    return eventsAt(this.#lines, await this.#pointAfter(await this.#place(nid)), skeys);
  }

  async stateEventBefore(nid: number, type: string, stateKey: string): Promise<number | undefined> {
    const skey = await this.#names.findSkey(type, stateKey);
    if (skey === undefined) return undefined;
    const place = await this.#place(nid);
    if (place.skey === skey && !isRejected(place)) return (await this.#ownKeyBefore(place, skey)) ?? undefined;
    return eventAt(this.#lines, await this.#pointAfter(place), skey);
  }

  /** Some keys right before and right after each of these events, which have places here. Events in one state cost one look-up. */
  async eventsAround(nids: readonly number[], skeys: readonly number[]): Promise<Map<number, StateAround>> {
    const around = new Map<number, StateAround>();
    if (nids.length === 0) return around;
    const known = new Map<string, Map<number, number>>();
    for (const place of await this.#db.all(placesByNids, { nids: [...nids] })) {
      const point = await this.#pointAfter(place);
      const after = known.get(pointKey(point)) ?? (await eventsAt(this.#lines, point, skeys));
      known.set(pointKey(point), after);
      if (place.skey === null || !skeys.includes(place.skey) || isRejected(place)) {
        around.set(place.nid, { before: after, after });
        continue;
      }
      const before = new Map(after);
      const own = await this.#ownKeyBefore(place, place.skey);
      if (own === null) before.delete(place.skey);
      else before.set(place.skey, own);
      around.set(place.nid, { before, after });
    }
    return around;
  }

  /** Names the state before an event: events with the same name have the same state before them. Throws as `stateBefore`. */
  async stateNameBefore(nid: number): Promise<string> {
    const place = await this.#place(nid);
    if (place.skey !== null && !isRejected(place)) return `before ${nid}`;
    return pointKey(await canonicalPoint(this.#lines, await this.#pointAfter(place)));
  }

  /**
   * Every key of the current state with a change in (since, now], each with its event at `now`; null: the key went away. A
   * key may have come back to what it had at `since` (R12).
   */
  async delta(room: number, since: number, now: number): Promise<Map<number, number | null>> {
    const to = await this.#mainPoint(room, now);
    const [oldest] = await this.#mains.ofRoom(room);
    // a purge took the line of that time away: all that there is now may be new
    if (oldest !== undefined && since < oldest.from_pos) return completeState(this.#lines, to);
    const from = await this.#mainPoint(room, since);
    const keys = await differingKeys(this.#lines, from, to);
    // across a switch of the main line, rows that a purge removed at `since` may only show in what came later
    if (from.line !== to.line)
      for (const skey of await this.#lines.changedKeys(from.line, from.pos, NOW)) keys.add(skey);
    const events = await eventsAt(this.#lines, to, keys);
    return new Map([...keys].map((skey) => [skey, events.get(skey) ?? null]));
  }

  async #mainPoint(room: number, pos: number): Promise<Point> {
    return { line: mainAt(room, await this.#mains.ofRoom(room), pos).line, pos };
  }

  async #place(nid: number): Promise<EventPlaceRow> {
    const [place] = await this.#db.all(placesByNids, { nids: [nid] });
    if (place === undefined || place.pos === null) throw new Error(`event ${nid} has no place in a room`);
    return place;
  }

  async #pointAfter(place: EventPlaceRow): Promise<Point> {
    if (place.sline !== null) return { line: place.sline, pos: place.spos ?? 0 };
    return this.#mainPoint(place.room, place.pos ?? 0);
  }

  /** R3: the row of an accepted state event holds what its key had before. */
  async #ownKeyBefore(place: EventPlaceRow, skey: number): Promise<number | null> {
    const point = await this.#pointAfter(place);
    const change = (await this.#lines.changesAt(point.line, point.pos, [skey])).get(skey);
    if (change === undefined) throw new Error(`event ${place.nid} has no row of its own`);
    return change.prev;
  }
}

function mainAt(room: number, mains: Mains, pos: number): Mains[number] {
  const main = mains.findLast((candidate) => candidate.from_pos <= pos) ?? mains[0];
  if (main === undefined) throw new Error(`there is no room ${room}`);
  return main;
}

const isRejected = (place: EventPlaceRow): boolean => (place.flags & EventFlag.rejected) !== 0;
