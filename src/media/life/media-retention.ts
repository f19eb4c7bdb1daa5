import type { Config } from '../../platform/config/config.ts';
import { limits } from '../../platform/limits.ts';
import type { Clock, TimerHandle, Timers } from '../../platform/ports.ts';
import type { LifeMetrics } from './life-metrics.ts';
import { loadMediaTotals, showTotals } from './media-totals.ts';
import {
  type IdleWish,
  type Removed,
  removeIdleMedia,
  removeIdleThumbnails,
  type Removing,
} from './remove-idle-media.ts';

export interface RetentionOptions extends Removing {
  readonly settings: Config['media']['retention'];
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Timers;
  readonly metrics: LifeMetrics;
  /** Told of failures; what failed is tried again in the next round. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Deletes, several times a day, what nobody has used for as long as the operator says. A round begins with what was unused for longest,
 * and what it has deleted is gone, so that one that was interrupted needs nothing to go on.
 */
export class MediaRetention {
  readonly #options: RetentionOptions;
  #timer: TimerHandle | undefined;
  #round: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#later(limits.retentionFirstMs);
  }

  /** One round. */
  async run(): Promise<void> {
    const { settings, clock, blobs, metrics, localServers, db } = this.#options;
    const nowMs = clock.nowMs();
    const sinceDays = (days: number): number => nowMs - days * dayMs;
    // What could not be removed when it should have been.
    await blobs.collectUnreferenced();
    const { localDays, unreferencedDays, remoteDays, thumbnailDays, keeps, removesProtected } = settings;
    if (unreferencedDays !== undefined)
      await this.#remove('unreferenced', { of: 'local', beforeTs: sinceDays(unreferencedDays), keeps: 'named' });
    if (localDays !== undefined)
      await this.#remove('local', { of: 'local', beforeTs: sinceDays(localDays), keeps, removesProtected });
    if (remoteDays !== undefined)
      await this.#remove('remote', { of: 'remote', beforeTs: sinceDays(remoteDays), keeps, removesProtected });
    if (thumbnailDays !== undefined)
      this.#count('thumbnail', await removeIdleThumbnails(this.#options, sinceDays(thumbnailDays), this.#isEnded));
    if (!this.#isClosed) showTotals(metrics, await loadMediaTotals({ db, localServers }));
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#round;
  }

  async #remove(
    why: 'unreferenced' | 'local' | 'remote',
    { removesProtected = false, ...wish }: Omit<IdleWish, 'removesProtected'> & Partial<IdleWish>,
  ): Promise<void> {
    const removed = await removeIdleMedia(this.#options, { removesProtected, ...wish }, this.#isEnded);
    if (removed !== undefined) this.#count(why, removed);
  }

  #count(why: string, { files, bytes }: Removed): void {
    if (files > 0) this.#options.metrics.countRemoved(why, files, bytes);
  }

  #later(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.timers.after(delayMs, () => {
      this.#round = this.run()
        .catch(this.#options.onFailed)
        .finally(() => this.#later(limits.retentionEveryMs));
    });
  }

  readonly #isEnded = (): boolean => this.#isClosed;
}

const dayMs = 86_400_000;
