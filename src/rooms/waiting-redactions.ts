/**
 * Redactions that came before what they redact: they take effect when it comes.
 * https://spec.matrix.org/v1.19/rooms/v12/#handling-redactions
 */
import { redact } from '../matrix/events/redact.ts';
import { roomEventFromPdu } from '../matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../matrix/ids/ids.ts';
import { canonicalJsonOf } from '../matrix/json/canonical-json.ts';
import { Lru } from '../platform/lru.ts';
import { encodeEventBody } from '../storage/event-body.ts';
import type { Database, UnitBuilder } from '../storage/database.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { eventsByNids, markRedactedBy, replaceBody } from '../storage/stores/timeline-store.ts';
import {
  deleteWaitingRedactions,
  waitingRedactionsOf,
  waitingTargets,
} from '../storage/stores/waiting-redaction-store.ts';
import type { RoomsContext } from './context.ts';
import type { Placed, RoomDag } from './dag/contract.ts';
import type { CheckedEvent } from './receive-event.ts';
import { mayRedact } from './redaction.ts';
import { pduOf } from './stored-event.ts';

/** Targets in memory, of all rooms and of one. A room with more is asked of the database for every event. */
const targetsMax = 50_000;
const targetsOfRoomMax = 1_000;

/** Events that were redacted before they came. To be used with the room's lock held. */
export class WaitingRedactions {
  readonly #db: Database;
  /** By room; null: there are too many. */
  readonly #targets = new Lru<number, Set<EventId> | null>({
    sizeMax: targetsMax,
    sizeOf: (targets) => 1 + (targets?.size ?? 0),
  });

  constructor(db: Database) {
    this.#db = db;
  }

  /** A redaction of an event that is not known here was handed in. */
  add(room: number, target: EventId): void {
    const targets = this.#targets.find(room);
    if (targets === undefined || targets === null) return;
    // As another set, so that its size is counted anew.
    this.#targets.set(room, targets.size < targetsOfRoomMax ? new Set([...targets, target]) : null);
  }

  /** Redactions of the event that wait for it, by their numbers. From memory where there are none. */
  async of(room: number, eventId: EventId): Promise<readonly number[]> {
    const known = this.#targets.find(room);
    const targets = known === undefined ? await this.#load(room) : known;
    if (targets?.has(eventId) === false) return [];
    // They are perhaps still on their way to disk.
    await this.#db.drained();
    return (await this.#db.all(waitingRedactionsOf, { room, targetId: eventId })).map(({ nid }) => nid);
  }

  async #load(room: number): Promise<Set<EventId> | null> {
    await this.#db.drained();
    const rows = await this.#db.all(waitingTargets, { room, limit: targetsOfRoomMax + 1 });
    const targets = rows.length > targetsOfRoomMax ? null : new Set(rows.map((row) => row.target_id as EventId));
    this.#targets.set(room, targets);
    return targets;
  }
}

/** An event as it is stored when it was redacted before it came. */
export interface RedactedOnArrival extends CheckedEvent {
  /** For the event's unit. */
  write(unit: UnitBuilder, placed: Placed): void;
}

/** To be called with the room's lock held. undefined: nobody who may has redacted it. */
export async function redactedOnArrival(
  ctx: RoomsContext,
  dag: RoomDag,
  { event }: CheckedEvent,
): Promise<RedactedOnArrival | undefined> {
  const { room, rules } = dag;
  const { eventId } = event;
  const nids = await ctx.waitingRedactions.of(room, eventId);
  if (nids.length === 0) return undefined;
  const rows = await ctx.db.all(eventsByNids, { nids: [...nids] });
  for (const row of rows.toSorted((one, other) => one.nid - other.nid)) {
    // It was judged again since.
    if ((row.flags & EventFlag.rejected) !== 0) continue;
    const redaction = roomEventFromPdu(pduOf(row), rules, row.event_id as EventId);
    if (!(await mayRedact(ctx, dag, redaction, event.sender))) continue;
    const pdu = redact(event.pdu, rules);
    const body = canonicalJsonOf(rules)(pdu);
    return {
      event: roomEventFromPdu(pdu, rules, eventId),
      body,
      write(unit, { nid }) {
        // Without a place it may have been stored as it came.
        unit.run(replaceBody, { nid, body: encodeEventBody(body) });
        unit.run(markRedactedBy, { nid, redactedBy: row.nid });
        unit.run(deleteWaitingRedactions, { room, targetId: eventId });
      },
    };
  }
  return undefined;
}
