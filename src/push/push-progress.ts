/**
 * How far events were looked at, on disk: written now and then, and never past something that a pusher is still to be told,
 * unless its row says so.
 */
import { limits } from '../platform/limits.ts';
import type { TimerHandle } from '../platform/ports.ts';
import { findServerFact, upsertServerFact } from '../storage/server-facts.ts';
import { setPusherBehind, setPusherCaughtUp } from '../storage/stores/pusher-store.ts';
import type { PushContext } from './context.ts';
import type { Queue } from './queue.ts';

const fact = 'push_pos';

export class PushProgress {
  readonly #ctx: Pick<PushContext, 'db' | 'timers' | 'onFailed'>;
  /** Everything up to there was looked at; undefined: that cannot be said now. */
  readonly #lookedAtPos: () => number | undefined;
  /** Those that may have something to be told, or whose rows say that they had. */
  readonly #busy = new Set<Queue>();
  #writtenPos = 0;
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(ctx: Pick<PushContext, 'db' | 'timers' | 'onFailed'>, lookedAtPos: () => number | undefined) {
    this.#ctx = ctx;
    this.#lookedAtPos = lookedAtPos;
  }

  /** Up to where events were looked at before the start. */
  async load(): Promise<number> {
    this.#writtenPos = Number((await findServerFact(this.#ctx.db, fact)) ?? 0);
    return this.#writtenPos;
  }

  /** The pusher has something to be told, or was behind when the server started. */
  follow(queue: Queue): void {
    this.#busy.add(queue);
    this.note();
  }

  /** Something was looked at. It is written soon. */
  note(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#ctx.timers.after(limits.pushNoteMs, () => {
      this.#timer = undefined;
      this.#write().catch((error: unknown) => this.#ctx.onFailed(error));
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#write();
  }

  async #write(): Promise<void> {
    const pos = this.#lookedAtPos();
    if (pos === undefined) return this.note();
    if (pos <= this.#writtenPos) return;
    const [behind, done] = [new Set<Queue>(), new Set<Queue>()];
    for (const queue of this.#busy)
      if (queue.notesForItself) continue;
      else if (queue.firstPendingPos === undefined) done.add(queue);
      else if (!queue.isBehindOnDisk) behind.add(queue);
    const { committed } = this.#ctx.db.write((unit) => {
      for (const queue of behind)
        unit.run(setPusherBehind, { pusher: queue.id, pos: (queue.firstPendingPos ?? pos) - 1 });
      for (const queue of done) if (queue.isBehindOnDisk) unit.run(setPusherCaughtUp, { pusher: queue.id });
      unit.run(upsertServerFact, { name: fact, value: String(pos) });
    });
    for (const queue of done) this.#busy.delete(queue);
    for (const queue of behind) queue.isBehindOnDisk = true;
    for (const queue of done) queue.isBehindOnDisk = false;
    this.#writtenPos = pos;
    await committed;
    if (this.#busy.size > 0) this.note();
  }
}
