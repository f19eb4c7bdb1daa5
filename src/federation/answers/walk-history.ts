/** Walking a room's graph from events to what they refer to. */
import { roomEventFromPdu } from '../../matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { pduOf } from '../../rooms/stored-event.ts';
import { EventFlag } from '../../storage/event-flags.ts';
import { type EventRow, eventsByIds, timelineBackwards } from '../../storage/stores/timeline-store.ts';

export interface Walk {
  /** Where it begins. */
  readonly from: readonly EventId[];
  /** Whether these are part of what is found, if they are known here. */
  readonly includesStart: boolean;
  /** Neither they nor what lies behind them. */
  readonly skipped: ReadonlySet<string>;
  readonly minDepth: number;
  readonly limit: number;
}

/**
 * Events of the room, the deepest first: those that were judged here and not rejected. What was soft-failed is found where
 * something refers to it. Rejected events are walked through.
 */
export async function walkHistory(ctx: RoomsContext, dag: RoomDag, walk: Walk): Promise<EventRow[]> {
  const reading = new HistoryReading(ctx, dag, walk.limit);
  const found: EventRow[] = [];
  const starts = new Set<string>(walk.includesStart ? [] : walk.from);
  let open = await reading.take(walk.from.filter((eventId) => !walk.skipped.has(eventId)));
  for (let looked = 0; open.length > 0 && found.length < walk.limit && looked < limits.historyWalkMax; looked++) {
    open.sort((a, b) => a.depth - b.depth || a.row.nid - b.row.nid);
    const next = open.pop()!;
    const { row } = next;
    if (next.depth < walk.minDepth) break;
    if (!starts.has(row.event_id) && (row.flags & EventFlag.rejected) === 0) found.push(row);
    open = open.concat(await reading.take(next.prevEvents.filter((eventId) => !walk.skipped.has(eventId))));
  }
  return found;
}

interface Step {
  readonly row: EventRow;
  readonly depth: number;
  readonly prevEvents: readonly EventId[];
}

class HistoryReading {
  readonly #ctx: RoomsContext;
  readonly #dag: RoomDag;
  readonly #limit: number;
  readonly #taken = new Set<EventId>();
  /** What stands before in the timeline is nearly always what comes next. */
  #near: ReadonlyMap<string, EventRow> | undefined;

  constructor(ctx: RoomsContext, dag: RoomDag, limit: number) {
    this.#ctx = ctx;
    this.#dag = dag;
    this.#limit = limit;
  }

  /** Each event once, of those that have a place in this room. */
  async take(eventIds: readonly EventId[]): Promise<Step[]> {
    const wanted = [...new Set(eventIds)].filter((eventId) => !this.#taken.has(eventId));
    for (const eventId of wanted) this.#taken.add(eventId);
    const missing = wanted.filter((eventId) => this.#near?.has(eventId) !== true);
    const read = missing.length === 0 ? [] : await this.#ctx.db.all(eventsByIds, { eventIds: missing });
    const near = wanted.map((eventId) => this.#near?.get(eventId)).filter((row) => row !== undefined);
    this.#near ??= await this.#readNear(read);
    return [...read, ...near]
      .filter((row) => row.room === this.#dag.room && row.pos !== null)
      .map((row) => this.#step(row));
  }

  async #readNear(rows: readonly EventRow[]): Promise<ReadonlyMap<string, EventRow>> {
    const ords = rows.filter((row) => row.room === this.#dag.room && row.ord !== null).map((row) => row.ord ?? 0);
    if (ords.length === 0) return new Map();
    const range = { before: Math.max(...ords), after: Number.MIN_SAFE_INTEGER, limit: this.#limit };
    const before = await this.#ctx.db.all(timelineBackwards, { room: this.#dag.room, ...range });
    return new Map(before.map((row) => [row.event_id, row]));
  }

  #step(row: EventRow): Step {
    const { depth, prevEvents } = roomEventFromPdu(pduOf(row), this.#dag.rules, row.event_id as EventId);
    return { row, depth, prevEvents };
  }
}
