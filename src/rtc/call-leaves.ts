/**
 * Ending the part in a call of those who are gone without saying so: as long as LiveKit has them, the delayed event that ends it is
 * put off; when they are gone it is sent. When neither is known it is not put off, and so is sent by itself.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/4195 (MSC4195)
 */
import { MatrixError } from '../matrix/errors.ts';
import { limits } from '../platform/limits.ts';
import type { Clock, TimerHandle, Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import { type CallLeaveRow, callLeaves, deleteCallLeave, setCallLeave } from '../storage/stores/call-leave-store.ts';
import { type LivekitApi, LivekitFailed } from './livekit-api.ts';
import type { LeaveEvents } from './ports.ts';

export interface CallLeavesContext {
  readonly db: Database;
  readonly events: LeaveEvents;
  readonly api: Pick<LivekitApi, 'hasParticipant'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly onFailed: (error: unknown) => void;
}

/** One member of one call. */
interface Watched extends CallLeaveRow {
  /** The delayed event's own delay. */
  readonly delayMs: number;
  /** When it is sent unless it is put off. */
  dueMs: number;
  isConnected: boolean;
  askedTimes: number;
  timer: TimerHandle | undefined;
}

export class CallLeaves {
  readonly #ctx: CallLeavesContext;
  readonly #watched = new Map<string, Watched>();
  #isClosed = false;

  constructor(ctx: CallLeavesContext) {
    this.#ctx = ctx;
  }

  /** Goes on with what was looked after before a restart. */
  async start(): Promise<void> {
    for (const row of await this.#ctx.db.all(callLeaves, {}))
      await this.#watch(row).catch((error: unknown) => this.#giveUp(row, error));
  }

  /** From now on, instead of what was looked after for the same member. Throws M_NOT_FOUND for a delayed event that does not wait. */
  async lookAfter(row: CallLeaveRow): Promise<void> {
    const { livekit_room: room, identity, delay_id: delayId, user_nid: user } = row;
    await this.#ctx.events.get({ userNid: user }, delayId);
    await this.#ctx.db.write((unit) => unit.run(setCallLeave, { room, identity, delayId, user })).committed;
    await this.#watch(row);
  }

  /** LiveKit says so. */
  async joined(room: string, identity: string): Promise<void> {
    const watched = this.#watched.get(keyOf(room, identity));
    if (watched?.isConnected === false) await this.#putOff(watched);
  }
  async left(room: string, identity: string): Promise<void> {
    const watched = this.#watched.get(keyOf(room, identity));
    if (watched !== undefined) await this.#send(watched);
  }

  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#watched.values()) timer?.cancel();
    this.#watched.clear();
  }

  async #watch(row: CallLeaveRow): Promise<void> {
    const event = await this.#ctx.events.get({ userNid: row.user_nid }, row.delay_id);
    if (event['finalised_ts'] !== undefined) return this.#forget(row);
    const delayMs = Number(event['delay_ms']);
    const dueMs = Number(event['scheduled_at']) + delayMs;
    const key = keyOf(row.livekit_room, row.identity);
    this.#watched.get(key)?.timer?.cancel();
    const watched: Watched = { ...row, delayMs, dueMs, isConnected: false, askedTimes: 0, timer: undefined };
    this.#watched.set(key, watched);
    this.#after(watched, firstQuestionMs);
  }

  #after(watched: Watched, delayMs: number): void {
    watched.timer?.cancel();
    if (this.#isClosed || !this.#isCurrent(watched)) return;
    watched.timer = this.#ctx.timers.after(delayMs, () => {
      this.#ask(watched).catch((error: unknown) => this.#giveUp(watched, error));
    });
  }

  async #ask(watched: Watched): Promise<void> {
    if (this.#ctx.clock.nowMs() >= watched.dueMs) return this.#forget(watched);
    const isThere = await this.#isThere(watched);
    if (!this.#isCurrent(watched)) return;
    if (isThere === true) return this.#putOff(watched);
    if (isThere === false && watched.isConnected) return this.#send(watched);
    // Not there yet, or not known: asked again, less and less often, as long as the event waits.
    watched.askedTimes += 1;
    this.#after(watched, Math.min(firstQuestionMs * 1.5 ** watched.askedTimes, limits.livekitQuestionMsMax));
  }

  /** undefined: LiveKit does not answer. */
  async #isThere({ livekit_room: room, identity }: Watched): Promise<boolean | undefined> {
    try {
      return await this.#ctx.api.hasParticipant(room, identity);
    } catch (error) {
      if (!(error instanceof LivekitFailed)) throw error;
      this.#ctx.onFailed(error);
      return undefined;
    }
  }

  async #putOff(watched: Watched): Promise<void> {
    watched.isConnected = true;
    watched.askedTimes = 0;
    try {
      await this.#ctx.events.manage({ userNid: watched.user_nid }, watched.delay_id, 'restart');
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      // Its owner has sent or cancelled it.
      return this.#forget(watched);
    }
    watched.dueMs = this.#ctx.clock.nowMs() + watched.delayMs;
    this.#after(watched, watched.delayMs * putOffAfter);
  }

  async #send(watched: Watched): Promise<void> {
    watched.timer?.cancel();
    try {
      await this.#ctx.events.manage({ userNid: watched.user_nid }, watched.delay_id, 'send');
    } catch (error) {
      // What cannot be sent now is tried once more when it is due.
      if (!(error instanceof MatrixError)) throw error;
    }
    await this.#forget(watched);
  }

  async #giveUp(row: CallLeaveRow, error: unknown): Promise<void> {
    if (this.#isClosed) return;
    if (!(error instanceof MatrixError)) this.#ctx.onFailed(error);
    await this.#forget(row).catch((failure: unknown) => this.#ctx.onFailed(failure));
  }

  async #forget(row: CallLeaveRow): Promise<void> {
    const { livekit_room: room, identity, delay_id: delayId } = row;
    const key = keyOf(room, identity);
    const watched = this.#watched.get(key);
    if (watched?.delay_id === delayId) {
      watched.timer?.cancel();
      this.#watched.delete(key);
    }
    await this.#ctx.db.write((unit) => unit.run(deleteCallLeave, { room, identity, delayId })).committed;
  }

  #isCurrent(watched: Watched): boolean {
    return this.#watched.get(keyOf(watched.livekit_room, watched.identity)) === watched;
  }
}

const keyOf = (room: string, identity: string): string => JSON.stringify([room, identity]);

const firstQuestionMs = 1_000;
/** Of the delay: early enough for LiveKit to be asked several times. */
const putOffAfter = 0.8;
