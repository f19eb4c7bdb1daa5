/**
 * Events that are sent later, unless somebody says otherwise. https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 * (MSC4140). They lie in the database; in memory is when the next one is due, and in which rooms one would change the state.
 */
import { MatrixError, notFound } from '../../matrix/errors.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { KeyedLock } from '../../platform/keyed-lock.ts';
import { limits } from '../../platform/limits.ts';
import type { TimerHandle, Timers } from '../../platform/ports.ts';
import type { Commit } from '../../storage/database.ts';
import {
  type DelayedEventRow,
  delayedEvent,
  deleteFinalisedBefore,
  dueDelayedEvents,
  finalisedOfUser,
  nextDelayedEvent,
  restartDelayedEvent,
  roomsWithScheduledState,
  scheduledOfUser,
  scheduledState,
} from '../../storage/stores/delayed-event-store.ts';
import type { Actor, RoomsContext } from '../context.ts';
import type { TimelineEntry } from '../event-effects.ts';
import type { Senders } from '../ports.ts';
import { type DelayedEventStatus, finalisedForm, scheduledForm, wholeForm } from './delayed-event-form.ts';
import { type DelayedEventLimits, type DelayRequest, scheduleEvent } from './schedule-event.ts';
import { cancelDelayedEvent, sendDelayedEvent } from './send-delayed-event.ts';

export type DelayedEventAction = 'send' | 'cancel' | 'restart';
/** Who manages a delayed event: its owner, or whoever was told its id. */
export type Manager = Pick<Actor, 'userNid'> | undefined;

export interface DelayedEventsOptions extends DelayedEventLimits {
  readonly timers: Pick<Timers, 'after'>;
  readonly senders: Senders;
  /** Told of what failed and is tried again. */
  readonly onFailed: (error: unknown) => void;
}

export class DelayedEvents {
  readonly #ctx: RoomsContext;
  readonly #options: DelayedEventsOptions;
  /** One at a time per delayed event: whatever changes it. */
  readonly #locks = new KeyedLock<string>();
  readonly #userLocks = new KeyedLock<number>();
  /** Where a state event that somebody sends may be one that another waits to send. */
  readonly #roomsWithState = new Set<number>();
  readonly #unfollow: () => void;
  #timer: { readonly handle: TimerHandle; readonly atMs: number } | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(ctx: RoomsContext, options: DelayedEventsOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#unfollow = ctx.db.onCommitted((commit) => this.#follow(commit));
  }

  /** Sends what is overdue, and from now on what falls due. */
  async start(): Promise<void> {
    for (const { room } of await this.#ctx.db.all(roomsWithScheduledState, {})) this.#roomsWithState.add(room);
    await this.#armNext();
  }

  /** The delay id. Errors: as `scheduleEvent`. */
  async schedule(actor: Actor, request: DelayRequest): Promise<string> {
    const { delayId, room, sendAt } = await this.#userLocks.run(actor.userNid, () =>
      scheduleEvent(this.#ctx, this.#options, actor, request),
    );
    if (sendAt !== undefined) {
      if (request.stateKey !== undefined) this.#roomsWithState.add(room);
      this.#arm(sendAt);
    }
    return delayId;
  }

  /** Throws M_NOT_FOUND, also for that of another user. */
  async get(owner: Pick<Actor, 'userNid'>, delayId: string): Promise<JsonObject> {
    return wholeForm(await this.#find(owner, delayId));
  }

  /** `scheduled` in the order of sending; `finalised`, the newest first, in the form of an earlier version of the proposal. */
  async list({ userNid: user }: Pick<Actor, 'userNid'>, status: DelayedEventStatus): Promise<readonly JsonObject[]> {
    const query = status === 'scheduled' ? scheduledOfUser : finalisedOfUser;
    const rows = await this.#ctx.db.all(query, { user, limit: limits.delayedEventsListedMax });
    return rows.map(status === 'scheduled' ? scheduledForm : finalisedForm);
  }

  /**
   * What was done already is done. Errors: M_NOT_FOUND; 409 M_UNKNOWN where the opposite was done; of `send` also those of the
   * endpoints that send, and then it goes on waiting.
   */
  async manage(manager: Manager, delayId: string, action: DelayedEventAction): Promise<void> {
    await this.#locks.run(delayId, async () => {
      const row = await this.#find(manager, delayId);
      if (row.finalised_ts !== null) return assertFinalisedBy(row, action);
      if (action === 'restart') return this.#restart(row);
      if (action === 'send') await sendDelayedEvent(this.#ctx, this.#options.senders, row);
      else await cancelDelayedEvent(this.#ctx, delayId, undefined);
    });
  }

  /** Resolves when nothing is being sent any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    this.#timer?.handle.cancel();
    await this.#running;
  }

  async #find(manager: Manager, delayId: string): Promise<DelayedEventRow> {
    const row = await this.#ctx.db.one(delayedEvent, { delayId });
    if (row === undefined || (manager !== undefined && row.user_nid !== manager.userNid))
      throw notFound('There is no such delayed event');
    return row;
  }

  async #restart({ delay_id: delayId, delay_ms: delayMs }: DelayedEventRow): Promise<void> {
    const scheduledAt = this.#ctx.clock.nowMs();
    const sendAt = scheduledAt + delayMs;
    const restarted = { delayId, scheduledAt, sendAt };
    await this.#ctx.db.write((unit) => unit.run(restartDelayedEvent, restarted, { changes: 1 })).committed;
    this.#arm(sendAt);
  }

  async #armNext(): Promise<void> {
    const next = await this.#ctx.db.one(nextDelayedEvent, {});
    if (next !== undefined) this.#arm(next.send_at);
  }

  /** A timer that finds nothing to send looks when the next one is due, so that it may well be too early. */
  #arm(atMs: number): void {
    if (this.#isClosed || (this.#timer !== undefined && this.#timer.atMs <= atMs)) return;
    this.#timer?.handle.cancel();
    const delayMs = Math.max(0, atMs - this.#ctx.clock.nowMs());
    this.#timer = { atMs, handle: this.#options.timers.after(delayMs, () => this.#fire()) };
  }

  #fire(): void {
    this.#timer = undefined;
    // Whoever is at it already looks once more before it ends.
    this.#running ??= this.#sendDue().then(
      () => {
        this.#running = undefined;
        this.#armNext().catch((error: unknown) => this.#failed(error));
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#failed(error);
      },
    );
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    this.#options.onFailed(error);
    this.#arm(this.#ctx.clock.nowMs() + limits.delayedEventRetryMs);
  }

  /** In the order of their times in each room; one room does not wait for another. */
  async #sendDue(): Promise<void> {
    const { db, clock } = this.#ctx;
    for (let isMore = true; isMore && !this.#isClosed;) {
      const rows = await db.all(dueDelayedEvents, { now: clock.nowMs(), limit: sentAtOnceMax });
      const rooms = Map.groupBy(rows, ({ room }) => room);
      const outcomes = await Promise.allSettled(
        Array.from(rooms.values(), async (ofRoom) => {
          for (const { delay_id: delayId } of ofRoom) await this.#sendIfDue(delayId);
        }),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      isMore = rows.length === sentAtOnceMax;
    }
    const ts = clock.nowMs() - limits.finalisedDelayedEventMs;
    await db.write((unit) => unit.run(deleteFinalisedBefore, { ts })).committed;
  }

  async #sendIfDue(delayId: string): Promise<void> {
    await this.#locks.run(delayId, async () => {
      const row = await this.#ctx.db.one(delayedEvent, { delayId });
      if (row === undefined || row.finalised_ts !== null || row.send_at > this.#ctx.clock.nowMs()) return;
      try {
        await sendDelayedEvent(this.#ctx, this.#options.senders, row);
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        await cancelDelayedEvent(this.#ctx, delayId, error);
      }
    });
  }

  #follow({ wakes }: Commit): void {
    if (this.#roomsWithState.size === 0) return;
    for (const wake of wakes) {
      if (wake.kind !== 'event' || wake.event.stateKey === undefined || !this.#roomsWithState.has(wake.room)) continue;
      this.#cancelOvertaken(wake, wake.event.stateKey).catch((error: unknown) => {
        if (!this.#isClosed) this.#options.onFailed(error);
      });
    }
  }

  /** What somebody else has just set is not overwritten by what was scheduled before. */
  async #cancelOvertaken({ room, event, senderNid }: TimelineEntry, stateKey: string): Promise<void> {
    const { db } = this.#ctx;
    const rows = await db.all(scheduledState, { room, type: event.type, stateKey, sender: senderNid });
    for (const { delay_id: delayId } of rows)
      await this.#locks.run(delayId, async () => {
        const row = await db.one(delayedEvent, { delayId });
        if (row?.finalised_ts === null) await cancelDelayedEvent(this.#ctx, delayId, overtaken());
      });
  }
}

const sentAtOnceMax = 100;

const overtaken = (): MatrixError => new MatrixError(409, 'M_UNKNOWN', 'Another user has set this state');

function assertFinalisedBy(row: DelayedEventRow, action: DelayedEventAction): void {
  if (action === (row.event_id === null ? 'cancel' : 'send')) return;
  const what = row.event_id === null ? 'cancelled' : 'sent';
  throw new MatrixError(409, 'M_UNKNOWN', `The delayed event has been ${what} already`);
}
