/**
 * What goes on in rooms after transactions were acknowledged: events that wait get what they refer to, and events that were
 * judged by a state which another server handed in are judged again when what they refer to came. One loop for each room;
 * what it does not get done before the server ends is on disk and goes on afterwards.
 */
import type { EventId } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import { SemaphoreFull } from '../../platform/semaphore.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { rejudgeEvent } from '../../rooms/rejudge-event.ts';
import { UnitFailed } from '../../storage/database.ts';
import { childrenWithGivenStates } from '../../storage/stores/state-line-store.ts';
import type { ReceiveContext } from './context.ts';
import { GapNotFilled } from './gap.ts';
import type { GapFiller } from './gap-filler.ts';
import { allCommitted, awaitedIds, type Outcome, parentsFirst, placePdus, ticketOf } from './place-pdus.ts';
import type { RoomDoors } from './room-doors.ts';
import type { StagedPdu, StagedPdus } from './staged-pdus.ts';

/** How many events are placed before others have their turn with the room; and gaps that are filled before they are tried again. */
const placedPerTurn = 50;
const gapsPerPass = 10;

interface RoomWork {
  /** Something came since the loop looked. */
  isAwake: boolean;
  isRunning: boolean;
  /** Of events whose gap could not be filled. */
  readonly tries: Map<EventId, { readonly count: number; readonly notBeforeMs: number }>;
  readonly toRejudge: Set<EventId>;
  timer: TimerHandle | undefined;
}

export class RoomWorkers {
  readonly #ctx: ReceiveContext;
  readonly #doors: RoomDoors;
  readonly #staged: StagedPdus;
  readonly #gaps: GapFiller;
  readonly #rooms = new Map<number, RoomWork>();
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(ctx: ReceiveContext, doors: RoomDoors, staged: StagedPdus, gaps: GapFiller) {
    this.#ctx = ctx;
    this.#doors = doors;
    this.#staged = staged;
    this.#gaps = gaps;
  }

  /** Something may have come that events of the room wait for, or more of them. */
  wake(room: number): void {
    const work = this.#workOf(room);
    work.isAwake = true;
    if (!work.isRunning) this.#begin(room, work);
  }

  /** Events took their places. `awaited`: of these, those that others had referred to, and may have been placed without. */
  async placed({ room }: Pick<RoomDag, 'room'>, awaited: readonly EventId[]): Promise<void> {
    if (this.#isClosed) return;
    const hasChildren = await this.#noteChildren(room, awaited);
    if (hasChildren || this.#staged.isWaiting(room)) this.wake(room);
  }

  async #noteChildren(room: number, awaited: readonly EventId[]): Promise<boolean> {
    if (awaited.length === 0) return false;
    const children = await this.#ctx.rooms.db.all(childrenWithGivenStates, { eventIds: [...awaited] });
    for (const child of children) this.#workOf(room).toRejudge.add(child.event_id as EventId);
    return children.length > 0;
  }

  /** Rooms in which something is being done at this moment. */
  get running(): number {
    return this.#running.size;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#rooms.values()) timer?.cancel();
    await Promise.all(this.#running);
  }

  #workOf(room: number): RoomWork {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const work: RoomWork = {
      isAwake: false,
      isRunning: false,
      tries: new Map(),
      toRejudge: new Set(),
      timer: undefined,
    };
    this.#rooms.set(room, work);
    return work;
  }

  #begin(room: number, work: RoomWork): void {
    if (this.#isClosed) return;
    work.isRunning = true;
    const run = this.#run(room, work).finally(() => {
      this.#running.delete(run);
      work.isRunning = false;
      if (work.isAwake) this.#begin(room, work);
      else if (work.timer === undefined) this.#rooms.delete(room);
    });
    this.#running.add(run);
  }

  async #run(room: number, work: RoomWork): Promise<void> {
    work.timer?.cancel();
    work.timer = undefined;
    try {
      while (work.isAwake && !this.#isClosed) {
        work.isAwake = false;
        await this.#rejudge(room, work);
        const nextMs = await this.#pass(room, work);
        if (nextMs !== undefined) this.#wakeLater(room, work, nextMs);
      }
    } catch (error) {
      if (!(error instanceof UnitFailed)) this.#ctx.onFailed(error);
      work.isAwake = false;
      this.#wakeLater(room, work, this.#ctx.rooms.clock.monotonicMs() + limits.stagedRetryMs);
    }
  }

  #wakeLater(room: number, work: RoomWork, atMs: number): void {
    work.timer?.cancel();
    if (this.#isClosed) return;
    const delayMs = Math.max(0, atMs - this.#ctx.rooms.clock.monotonicMs());
    work.timer = this.#ctx.timers.after(delayMs, () => this.wake(room));
  }

  /** When the next gap is to be tried; undefined: nothing waits, or the loop is awake again. */
  async #pass(room: number, work: RoomWork): Promise<number | undefined> {
    if (!this.#staged.isWaiting(room)) return undefined;
    const dag = await this.#ctx.rooms.dags.openByNid(room);
    const staged = parentsFirst(await this.#staged.load(dag));
    if (!(await this.#doors.isInhabited(dag))) {
      await this.#end(dag, staged, work);
      return undefined;
    }
    const outcomes: Outcome<StagedPdu>[] = [];
    for (let at = 0; at < staged.length && !this.#isClosed; at += placedPerTurn)
      outcomes.push(...(await this.#placeSome(dag, staged.slice(at, at + placedPerTurn))));
    const missing = outcomes.filter((outcome) => outcome.kind === 'missing');
    const done = outcomes.filter((outcome) => outcome.kind !== 'missing').map(({ pdu }) => pdu);
    await this.#end(dag, done, work);
    if (missing.length === 0 || this.#isClosed) return undefined;
    return this.#fillGaps(dag, missing, work);
  }

  async #placeSome(dag: RoomDag, staged: readonly StagedPdu[]): Promise<Outcome<StagedPdu>[]> {
    const { dags, locks } = this.#ctx.rooms;
    const outcomes = await locks.run(dag.roomId, async () =>
      placePdus(this.#ctx, await dags.openByNid(dag.room), staged),
    );
    await allCommitted(outcomes.map(ticketOf));
    await this.#noteChildren(dag.room, awaitedIds(outcomes));
    return outcomes;
  }

  /** They wait no longer. */
  async #end(dag: RoomDag, pdus: readonly StagedPdu[], work: RoomWork): Promise<void> {
    if (pdus.length === 0) return;
    await this.#ctx.rooms.db.write((unit) => this.#staged.unstage(unit, dag.room, pdus)).committed;
    await this.#staged.unstaged(dag.room, pdus);
    for (const { event } of pdus) work.tries.delete(event.eventId);
  }

  async #fillGaps(
    dag: RoomDag,
    missing: readonly Extract<Outcome<StagedPdu>, { kind: 'missing' }>[],
    work: RoomWork,
  ): Promise<number | undefined> {
    const { clock } = this.#ctx.rooms;
    const lost = missing.map(({ pdu }) => pdu).filter((pdu) => this.#isLost(pdu, work));
    await this.#giveUp(dag, lost, work);
    const left = missing.filter(({ pdu }) => !lost.includes(pdu));
    const waiting = new Set(left.map(({ pdu }) => pdu.event.eventId));
    // What waits for another one that waits has no gap of its own.
    const roots = left.filter(({ missing: { prevEvents } }) => !prevEvents.some((id) => waiting.has(id)));
    const notBefore = (pdu: StagedPdu): number => work.tries.get(pdu.event.eventId)?.notBeforeMs ?? 0;
    const due = roots.map(({ pdu }) => pdu).filter((pdu) => notBefore(pdu) <= clock.monotonicMs());
    for (const pdu of due.slice(0, gapsPerPass)) if (!this.#isClosed) await this.#fillGap(dag, pdu, work);
    if (due.length > 0 || lost.length > 0) work.isAwake = true;
    else if (roots.length > 0) return Math.min(...roots.map(({ pdu }) => notBefore(pdu)));
    // Events that refer to each other in a circle: they are given up when they are old.
    else return clock.monotonicMs() + limits.stagedRetryMsMax;
    return undefined;
  }

  async #fillGap(dag: RoomDag, pdu: StagedPdu, work: RoomWork): Promise<void> {
    try {
      const outcomes = await this.#gaps.place(dag, pdu.origin, [pdu]);
      const own = outcomes.find((outcome) => outcome.pdu.event.eventId === pdu.event.eventId);
      if (own?.kind !== 'placed') throw new GapNotFilled('what came was not enough');
    } catch (error) {
      if (error instanceof UnitFailed) throw error;
      if (!(error instanceof GapNotFilled || error instanceof SemaphoreFull)) this.#ctx.onFailed(error);
      const count = (work.tries.get(pdu.event.eventId)?.count ?? 0) + 1;
      const delayMs = Math.min(limits.stagedRetryMs * 2 ** (count - 1), limits.stagedRetryMsMax);
      work.tries.set(pdu.event.eventId, { count, notBeforeMs: this.#ctx.rooms.clock.monotonicMs() + delayMs });
    }
  }

  #isLost(pdu: StagedPdu, work: RoomWork): boolean {
    const tries = work.tries.get(pdu.event.eventId)?.count ?? 0;
    return tries >= limits.stagedPduTriesMax || pdu.ts + limits.stagedPduMs < this.#ctx.rooms.clock.nowMs();
  }

  async #giveUp(dag: RoomDag, pdus: readonly StagedPdu[], work: RoomWork): Promise<void> {
    if (pdus.length === 0) return;
    await this.#end(dag, pdus, work);
    this.#ctx.counters.pdus.add({ fate: 'given-up' }, pdus.length);
    const [first] = pdus;
    this.#ctx.onNotice('Events were given up because no server has what they refer to', {
      roomId: dag.roomId,
      origin: first?.origin,
      events: pdus.length,
    });
  }

  async #rejudge(room: number, work: RoomWork): Promise<void> {
    for (const eventId of work.toRejudge) {
      work.toRejudge.delete(eventId);
      await rejudgeWhenComplete(this.#ctx, room, eventId);
    }
  }
}

/** It stays as it is where too much came after it, or parents are still missing. */
async function rejudgeWhenComplete(ctx: ReceiveContext, room: number, eventId: EventId): Promise<void> {
  const { dags, locks } = ctx.rooms;
  const { roomId } = await dags.openByNid(room);
  const outcome = await locks.run(roomId, async () => rejudgeEvent(ctx.rooms, await dags.openByNid(room), eventId));
  await outcome?.ticket?.committed;
}
