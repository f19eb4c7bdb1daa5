/** Fills gaps, a bounded number at once in all and for each server whose events left them. */
import type { ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { Semaphore } from '../../platform/semaphore.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';
import { FederationError } from '../federation-error.ts';
import type { ReceiveContext } from './context.ts';
import { type HistoryOptions, placeWithGap } from './fill-gap.ts';
import { Gap, GapNotFilled, senderServer, serversToAsk } from './gap.ts';
import type { Outcome } from './place-pdus.ts';

export class GapFiller {
  readonly #ctx: ReceiveContext;
  readonly #all = new Semaphore(limits.gapsAtOnceMax, limits.gapsWaitingMax);
  readonly #perServer = new Map<ServerName, Semaphore>();
  readonly #closing = new AbortController();

  constructor(ctx: ReceiveContext) {
    this.#ctx = ctx;
  }

  /** As `placeWithGap`. `origin` is asked first. Throws GapNotFilled also when it took too long. */
  async place(
    dag: RoomDag,
    origin: ServerName,
    events: readonly CheckedEvent[],
    options: HistoryOptions = {},
  ): Promise<Outcome[]> {
    return this.#inTurn(origin, () => this.#placeInTime(dag, origin, events, options));
  }

  close(): void {
    this.#closing.abort(new GapNotFilled('the server is closing'));
  }

  async #placeInTime(
    dag: RoomDag,
    origin: ServerName,
    events: readonly CheckedEvent[],
    options: HistoryOptions,
  ): Promise<Outcome[]> {
    const timeout = new AbortController();
    const timer = this.#ctx.timers.after(limits.gapMs, () => timeout.abort(new GapNotFilled('it took too long')));
    const signal = AbortSignal.any([timeout.signal, this.#closing.signal]);
    try {
      const first = [origin, ...events.slice(0, 1).map(senderServer)];
      const gap = new Gap(this.#ctx, dag, await serversToAsk(this.#ctx, dag, first), signal);
      const outcomes = await placeWithGap(gap, events, options);
      this.#ctx.counters.gaps.add({ outcome: 'filled' });
      return outcomes;
    } catch (error) {
      this.#ctx.counters.gaps.add({ outcome: 'not-filled' });
      if (signal.aborted) throw signal.reason;
      if (error instanceof FederationError) throw new GapNotFilled(error.message, { cause: error });
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async #inTurn<T>(origin: ServerName, task: () => Promise<T>): Promise<T> {
    const own = this.#perServer.get(origin) ?? new Semaphore(limits.gapsPerServerMax, limits.gapsWaitingMax);
    this.#perServer.set(origin, own);
    try {
      return await own.run(() => this.#all.run(task), this.#closing.signal);
    } finally {
      if (own.running === 0 && own.waiting === 0) this.#perServer.delete(origin);
    }
  }
}
