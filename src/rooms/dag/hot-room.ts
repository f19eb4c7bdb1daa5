/** What of a room is kept in memory while it is in use. One object per room; it may run ahead of what is committed. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import { createEventIdOfRoom } from '../../matrix/ids/room-id.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { type Database, type UnitBuilder, UnitFailed, type UnitTicket } from '../../storage/database.ts';
import type { Names } from '../../storage/names.ts';
import { AuthGraph } from './auth-graph.ts';
import type { CommittedLines } from './committed-lines.ts';
import { CurrentState } from './current-state.ts';
import { type EventPlace, EventPlaces } from './event-places.ts';
import type { ResolutionMemo } from './resolution-memo.ts';
import type { RoomEventCache } from './room-events.ts';
import type { Point } from './state-point.ts';
import type { Pin } from './write-through-cache.ts';

/** What one event may cost, see docs/decisions/0003-state-line.md. A test may lower them. */
export interface DagLimits {
  /** Longest chain of parent lines (R7). */
  readonly lineDepthMax: number;
  /** State changes between an event that comes late and the current state: beyond, it is soft-failed instead of merged. */
  readonly lateRowsMax: number;
  /** State changes between the parents of one event: beyond, the states after them must be handed in. */
  readonly mergeRowsMax: number;
}

/** What all rooms share. */
export interface DagServices {
  readonly db: Database;
  readonly names: Names;
  readonly lines: CommittedLines;
  readonly events: RoomEventCache;
  readonly limits: DagLimits;
  /** Lets other work go on in the middle of a long computation. */
  readonly pause: () => Promise<void>;
}

/** As loaded from the database. */
export interface RoomFacts {
  readonly room: number;
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  /** Which line is the main line from which position on, oldest first; never empty. */
  readonly mains: readonly { readonly fromPos: number; readonly line: number }[];
  /** Position of the newest row of the main line; BEFORE_ALL: it has none. */
  readonly mainTipPos: number;
  readonly extremities: readonly EventPlace[];
  readonly notifySeq: number;
  readonly partialNid: number | null;
  /** Where the room id names the create event, that event. */
  readonly create: { readonly place: EventPlace; readonly event: RoomEvent } | undefined;
  /** It begins here, with its create event. */
  readonly isNew: boolean;
}

export class HotRoom {
  readonly services: DagServices;
  readonly room: number;
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  readonly places: EventPlaces;
  readonly graph: AuthGraph;
  readonly current: CurrentState;
  readonly memo: ResolutionMemo;
  mains: readonly { readonly fromPos: number; readonly line: number }[];
  mainTipPos: number;
  extremities: ReadonlyMap<EventId, EventPlace>;
  notifySeq: number;
  partialNid: number | null;
  create: { readonly place: EventPlace; readonly event: RoomEvent } | undefined;
  /** The canonical points of the extremities that the main line was last resolved from (R8); undefined: not known. */
  resolvedFrom: string | undefined;
  readonly #onFailed: () => void;
  #last: UnitTicket | undefined;
  #unsettled = 0;
  #failure: unknown;

  /** `onFailed`: a unit failed, so that what is in memory is not what is on disk. */
  constructor(services: DagServices, facts: RoomFacts, memo: ResolutionMemo, onFailed: () => void) {
    this.services = services;
    this.room = facts.room;
    this.roomId = facts.roomId;
    this.rules = facts.rules;
    this.mains = facts.mains;
    this.mainTipPos = facts.mainTipPos;
    this.extremities = new Map(facts.extremities.map((place) => [place.eventId, place]));
    this.notifySeq = facts.notifySeq;
    this.partialNid = facts.partialNid;
    this.create = facts.create;
    this.memo = memo;
    this.#onFailed = onFailed;
    this.places = new EventPlaces(services.db, facts.room);
    this.graph = new AuthGraph(services.db, facts.room);
    this.current = new CurrentState(
      services.lines,
      services.names,
      () => this.mainLine,
      (nid) => this.loadEvent(nid),
      facts.isNew,
    );
    for (const place of facts.extremities) this.places.keep(place);
  }

  get mainLine(): number {
    return this.mains.at(-1)!.line;
  }

  /** The canonical point of the current state; only the main line itself is asked, because it is a root. */
  get tipPoint(): Point {
    return { line: this.mainLine, pos: this.mainTipPos };
  }

  /** Units handed in and not settled yet. */
  get unsettled(): number {
    return this.#unsettled;
  }

  mainLineAt(pos: number): number {
    return (this.mains.findLast((main) => main.fromPos <= pos) ?? this.mains[0]!).line;
  }

  /** Whether it is the create event that the room id names, in room versions where it does. */
  isNamedAfter(event: RoomEvent): boolean {
    return this.rules.eventAuth.createEventIsRoomId && createEventIdOfRoom(this.roomId) === event.eventId;
  }

  /** The state after an event (R2). */
  pointAfter(place: EventPlace): Point {
    if (place.point !== null) return place.point;
    if (place.pos === null) throw new Error(`${place.eventId} has no place, so no state`);
    return { line: this.mainLineAt(place.pos), pos: place.pos };
  }

  /** Events by number, those of units under way included. */
  loadEvents(nids: Iterable<number>): Promise<Map<number, RoomEvent>> {
    return this.services.events.load(nids, this.rules, () => this.settled());
  }

  async loadEvent(nid: number): Promise<RoomEvent> {
    return this.services.events.peek(nid) ?? (await this.loadEvents([nid])).get(nid)!;
  }

  mustBeAlive(): void {
    if (this.#failure !== undefined)
      throw new UnitFailed('an earlier write to this room did not happen', { cause: this.#failure });
  }

  /** A unit of this room: it fails when the one before it failed. `pin`: of what stands in the caches for it already. */
  write(
    build: (unit: UnitBuilder) => void,
    pin: Pin = { settled: false },
  ): { readonly ticket: UnitTicket; readonly pin: Pin } {
    this.mustBeAlive();
    const ticket = this.services.db.write((unit) => {
      if (this.#last !== undefined && this.#unsettled > 0) unit.requires(this.#last);
      build(unit);
    });
    this.#last = ticket;
    this.#unsettled++;
    void this.#watch(ticket, pin);
    return { ticket, pin };
  }

  async #watch(ticket: UnitTicket, pin: Pin): Promise<void> {
    try {
      await ticket.committed;
      pin.settled = true;
    } catch (error) {
      this.fail(error);
    } finally {
      this.#unsettled--;
    }
  }

  /** What is in memory cannot be trusted any more. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error ?? new Error('unknown');
    this.#onFailed();
  }

  /** Resolves when everything handed in for this room is committed. Throws UnitFailed when some of it failed. */
  async settled(): Promise<void> {
    while (this.#unsettled > 0) await this.#last?.committed.catch(() => undefined);
    this.mustBeAlive();
  }
}
