/**
 * What the rest of the server may ask of a room's directed acyclic graph of events and of its state.
 * The rules R1 to R16 that the comments name stand in docs/decisions/0003-state-line.md.
 * https://spec.matrix.org/v1.19/server-server-api/#pdus
 */
import type { AuthResult, RoomEvent, StateLookup, StateTuple } from '../../matrix/events/room-event.ts';
import type { EventId, RoomId } from '../../matrix/ids/ids.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import type { UnitBuilder, UnitTicket } from '../../storage/database.ts';

/** An event that the next event of the room refers to. */
export interface FrontierEvent {
  readonly eventId: EventId;
  readonly nid: number;
  readonly depth: number;
}

/** What a new local event refers to. `depth` is the new event's own: one more than the deepest, within canonical JSON's limit. */
export interface Frontier {
  readonly prevEvents: readonly FrontierEvent[];
  /** How many forward extremities there are, those that are not among `prevEvents` included. */
  readonly extremities: number;
  readonly depth: number;
}

/** How one key of the room's current state changed. */
export interface StateChange {
  readonly type: string;
  readonly stateKey: string;
  /** The event that the key has now; null: the key went away. */
  readonly event: { readonly nid: number; readonly event: RoomEvent } | null;
  /** The event that it had in the current state until now. */
  readonly previousNid: number | null;
}

export interface ReceiveOptions {
  /**
   * Made here on the current frontier, so its auth events come from the current state and one check suffices.
   * If it is refused nothing is stored and `verdict` says why.
   */
  readonly local?: boolean;
  /** Another server's event, of which `findNew` has said that it is new since the lock was taken. */
  readonly isNew?: boolean;
  /** For parents that are not known here: the events of the room's state after that parent, each stored already (R5). */
  readonly given?: ReadonlyMap<EventId, readonly EventId[]>;
  /** History that was fetched on request: never an extremity, never soft-failed, placed before what refers to it. */
  readonly backfill?: boolean;
  /**
   * With this join, which was made through another server, somebody of ours comes into a room in which nobody of ours is:
   * what this server knew of the room's current state counts no more, `given` (for all parents) is the state before it.
   */
  readonly entering?: boolean;
  /** Of history: its order value in the timeline, or the nearest free one below. Absent: right before what refers to it. */
  readonly ord?: number;
  /** An event that has a place, and whose state differs little from what is given. Absent: the current state does. */
  readonly near?: EventId;
  /** This is our join and `given` is a partial state (R11). */
  readonly partial?: boolean;
  /** A policy server refused it: soft-failed whatever the current state says. */
  readonly policyDenies?: boolean;
  /** Further bits of `event.flags`. */
  readonly marks?: number;
  /** The default push rules notify for it: its notify_seq is one more than the room's. */
  readonly notifies?: boolean;
  /**
   * Called once the verdict and the changes of the current state are known, before the unit is made: for look-ups that
   * `also` needs (it is synchronous). Not called for a refused local event.
   */
  readonly prepare?: (outcome: { readonly stateChanges: readonly StateChange[] }) => Promise<void>;
  /**
   * Further statements of the same unit (transaction id, membership rows, relations, wakes). Called synchronously
   * within `db.write`; `placed.ticket` is not set yet at that moment.
   */
  readonly also?: (unit: UnitBuilder, placed: Placed) => void;
}

export interface Placed {
  readonly room: number;
  /** 0 when a local event was refused. */
  readonly nid: number;
  readonly pos: number;
  /** Order in the timeline; null for events that clients never see (rejected, soft-failed). */
  readonly ord: number | null;
  readonly notifySeq: number;
  readonly verdict: AuthResult;
  readonly softFailed: boolean;
  /** How the current state changed, in this unit. */
  readonly stateChanges: readonly StateChange[];
  /** It refers to parents that are not known here. Absent: it does not. */
  readonly isAfterGap?: boolean;
  /** undefined when nothing was stored: a refused local event, or an event that has been judged before. */
  readonly ticket: UnitTicket | undefined;
}

/** An event without a place in the DAG. */
export interface StoredOutlier {
  readonly nid: number;
  readonly verdict: AuthResult;
  /** undefined: it was stored already. */
  readonly ticket: UnitTicket | undefined;
}

/** What judging again changed (R10, R11). */
export interface Rejudged {
  /** The position at which the current state changed. */
  readonly pos: number;
  /** Events that were rejected until now and count from now on, in causal order, with their new place in the timeline. */
  readonly accepted: readonly { readonly nid: number; readonly event: RoomEvent; readonly ord: number | null }[];
  /** Events that were accepted until now; they left the timeline. */
  readonly rejected: readonly { readonly nid: number; readonly event: RoomEvent }[];
  readonly stateChanges: readonly StateChange[];
  readonly ticket: UnitTicket | undefined;
}
export interface RejudgeOptions {
  /** As in ReceiveOptions. */
  readonly prepare?: (outcome: {
    readonly stateChanges: readonly StateChange[];
    readonly accepted: readonly { readonly nid: number; readonly event: RoomEvent }[];
  }) => Promise<void>;
  readonly also?: (unit: UnitBuilder, outcome: Rejudged) => void;
}

/** A complete state that waits for `fill`. */
export interface LaidState {
  readonly line: number;
  readonly pos: number;
}

export interface Purged {
  readonly events: number;
  readonly stateChanges: number;
  readonly lines: number;
}

/**
 * One room's DAG and state. Calls that write are made under the room's lock (KeyedLock), one after another. They may be
 * made before earlier units are committed. When a unit fails, later ones that were built on it fail too, and every
 * method throws UnitFailed from then on: open the room anew.
 */
export interface RoomDag {
  readonly room: number;
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  /** The newest 20 forward extremities at most (the specification's limit for prev_events), newest first. */
  frontier(): Frontier;
  /** Of the current state, accepted events that are not committed yet included. A key that is not cached costs one index seek. */
  currentEvent(type: string, stateKey: string): Promise<RoomEvent | undefined>;
  /** Prefetches, so that the authorisation rules can look up synchronously. Asking for another key throws. */
  currentEvents(tuples: readonly StateTuple[]): Promise<StateLookup>;
  /**
   * Judges one event and stores it with its place: auth events, state before, current state (rules R2 to R9, R14).
   * `body`: the exact canonical JSON to keep, with hashes and signatures.
   * Throws MissingEvents when it refers to auth events, or to parents without a given state, that are not known here.
   */
  receive(event: RoomEvent, body: string, options?: ReceiveOptions): Promise<Placed>;
  /** Those of the events that are not known here, and that nothing which is known refers to. */
  findNew(eventIds: readonly EventId[]): Promise<ReadonlySet<EventId>>;
  /** Of a room that is being made: one of its events. No query finds it yet. */
  unwritten(eventId: EventId): RoomEvent | undefined;
  /** Stores an event without a place in the DAG, such as one of a handed-in state. Its auth events are known already. */
  outlier(event: RoomEvent, body: string): Promise<StoredOutlier>;
  /**
   * The same for many, in an order in which each comes after its auth events. One outcome for each, in the same order.
   * Resolves before they are on disk.
   */
  outliers(events: readonly { readonly event: RoomEvent; readonly body: string }[]): Promise<readonly StoredOutlier[]>;
  /** Judges an event and its descendants again, after its missing parents came or the handed-in states were replaced (R10). */
  rejudge(
    eventId: EventId,
    given?: ReadonlyMap<EventId, readonly EventId[]>,
    options?: RejudgeOptions,
  ): Promise<Rejudged>;
  /**
   * The complete state before our join came (R11); each event of it is stored already. Lays it down where nobody sees it yet:
   * takes long in a large room, needs no lock, and events may be received meanwhile.
   */
  layFullState(fullState: readonly EventId[]): Promise<LaidState>;
  /** What was laid down takes effect: our join and all that came after it are judged again. The room is no longer partial. */
  fill(laid: LaidState, options?: RejudgeOptions): Promise<Rejudged>;
  /** Forgets events below the position and the state that nothing needs any more (R13). Not while the room's state is partial. */
  purge(cutPos: number): Promise<Purged>;
  /** The stored body of an event was replaced (a redaction). To be called once the unit is handed in. */
  bodyReplaced(nid: number, event: RoomEvent): void;
  /** How many events of the room the default push rules notified for. */
  notifySeq(): number;
  /** Whether our join still waits for the complete state. */
  isPartial(): boolean;
}

/** A room that is being made here. It is nobody's until it is handed in. */
export interface NewRoom {
  /**
   * Receives the create event and what follows it. What `receive` gives has neither position nor ticket; an event that is refused
   * is none of the room's, and the next may be another one.
   */
  readonly dag: RoomDag;
  /** The room and all its events are one unit. Gives the last event. */
  handIn(): Placed;
}

/** The rooms of this server. Hot ones stay in memory, within a bound. */
export interface RoomDags {
  /** Throws MatrixError M_NOT_FOUND when this server knows no such room. */
  open(roomId: RoomId): Promise<RoomDag>;
  openByNid(room: number): Promise<RoomDag>;
  find(roomId: RoomId): Promise<RoomDag | undefined>;
  begin(createEvent: RoomEvent): NewRoom;
  /** Whether the room is in memory. Those that are being written are, and so are those that were made lately. */
  isHot(roomId: RoomId): boolean;
  /**
   * A room that exists elsewhere and that we are about to join or know by an invite: still without events. One that has events is
   * given as it is, whatever its version. To be called with the room's lock held.
   */
  adopt(roomId: RoomId, version: string): Promise<RoomDag>;
}

/** Events that must be fetched first. */
export class MissingEvents extends Error {
  override readonly name = 'MissingEvents';
  readonly authEvents: readonly EventId[];
  readonly prevEvents: readonly EventId[];

  constructor(authEvents: readonly EventId[], prevEvents: readonly EventId[]) {
    super(`${authEvents.length} auth events and ${prevEvents.length} parents are not known here`);
    this.authEvents = authEvents;
    this.prevEvents = prevEvents;
  }
}
