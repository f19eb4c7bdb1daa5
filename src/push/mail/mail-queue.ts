/**
 * What one mailbox is still to be told. One message tells of everything that came until it was quiet for a while; how long it
 * takes until the next one doubles as long as its reader reads nothing (docs/decisions: push).
 */
import { limits } from '../../platform/limits.ts';
import type { TimerHandle } from '../../platform/ports.ts';
import type { PusherRow } from '../../storage/stores/pusher-store.ts';
import type { PushUser } from '../push-user.ts';
import { type PendingPush, type Queue, withEarlier } from '../queue.ts';
import type { MailDelivery } from './mail-delivery.ts';

export class MailQueue implements Queue {
  readonly id: number;
  readonly user: PushUser;
  readonly livePos: number;
  isBehindOnDisk: boolean;
  readonly #delivery: MailDelivery;
  #row: PusherRow;
  #pending: PendingPush[] = [];
  /** Nothing up to here is sent again. */
  #toldPos: number;
  #mailedMs: number | undefined;
  /** After the last message; undefined: something was read since then. */
  #waitMs: number | undefined;
  #unread: number | undefined;
  #timer: TimerHandle | undefined;
  #failures = 0;
  /** The mail server takes nothing; it is not asked again before. */
  #notBeforeMs = 0;
  #isRunning = false;
  #running = Promise.resolve();
  #isClosed = false;

  constructor(user: PushUser, row: PusherRow, livePos: number, delivery: MailDelivery) {
    this.id = row.pusher;
    this.user = user;
    this.livePos = livePos;
    this.isBehindOnDisk = row.behind === 1;
    this.#delivery = delivery;
    this.#row = row;
    this.#toldPos = row.told_pos;
    this.#mailedMs = row.mailed_ts ?? undefined;
    this.#waitMs = row.mail_wait_ms ?? undefined;
  }

  get row(): PusherRow {
    return this.#row;
  }
  get isEnabled(): boolean {
    return this.#row.enabled === 1 && !this.#isClosed;
  }
  get firstPendingPos(): number | undefined {
    return this.#pending[0]?.pos;
  }
  get notesForItself(): boolean {
    return this.#isRunning;
  }

  update(row: PusherRow): void {
    this.#row = row;
    if (row.enabled === 0) this.#pending = [];
    this.start();
  }

  add(push: PendingPush): void {
    this.#pending.push(push);
    if (this.#pending.length > limits.pushesWaitingMax) this.#pending.shift();
  }
  addEarlier(pushes: readonly PendingPush[]): void {
    this.#pending = withEarlier(this.#pending, pushes, this.#toldPos);
  }

  /** Who reads wants to know again soon. */
  tellUnread(unread: number): void {
    const hasRead = unread === 0 || unread < (this.#unread ?? 0);
    this.#unread = unread;
    if (!hasRead) return;
    this.#waitMs = undefined;
    this.start();
  }

  /** Waits for the time of the next message, which moves with everything that comes. */
  start(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const dueMs = this.#dueMs();
    if (this.#isRunning || !this.isEnabled || dueMs === undefined) return;
    this.#timer = this.#delivery.at(dueMs, () => {
      this.#timer = undefined;
      this.#isRunning = true;
      this.#running = this.#run();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isRunning) await this.#delivery.orTooLate(this.#running);
  }

  #dueMs(): number | undefined {
    const [oldest, newest] = [this.#pending[0], this.#pending.at(-1)];
    if (oldest === undefined || newest === undefined) return undefined;
    const { delayMs, intervalMs } = this.#delivery;
    const quietMs = Math.min(newest.tsMs + delayMs, oldest.tsMs + delayMs * limits.mailPushDelaysMax);
    const allowedMs = this.#mailedMs === undefined ? quietMs : this.#mailedMs + (this.#waitMs ?? intervalMs);
    return Math.max(quietMs, allowedMs, this.#notBeforeMs);
  }

  async #run(): Promise<void> {
    const pushes = this.#pending;
    this.#pending = [];
    try {
      await this.#tell(pushes);
      this.#failures = 0;
      this.#isRunning = false;
      this.start();
    } catch (error) {
      // Nothing was sent: it waits again.
      this.#pending = [...pushes, ...this.#pending].slice(-limits.pushesWaitingMax);
      this.#isRunning = false;
      this.#delivery.report(error);
      this.#retryLater();
    }
  }

  async #tell(pushes: readonly PendingPush[]): Promise<void> {
    const [first, last] = [pushes[0], pushes.at(-1)];
    if (first === undefined || last === undefined) return;
    const [mailedMs, waitMs] = [this.#mailedMs, this.#waitMs];
    const { intervalMs } = this.#delivery;
    const longestMs = Math.max(limits.mailPushIntervalMsMax, intervalMs);
    const nextWaitMs = waitMs === undefined ? intervalMs : Math.min(waitMs * 2, longestMs);
    const outcome = await this.#delivery.deliver(this, pushes, {
      pos: last.pos,
      toldPos: Math.max(this.#toldPos, first.pos - 1),
      mailedMs,
      waitMs,
      nextWaitMs,
    });
    if (outcome.kind === 'rejected') this.#isClosed = true;
    if (outcome.kind !== 'sent') return;
    this.#toldPos = last.pos;
    this.#mailedMs = outcome.atMs;
    this.#unread = outcome.unread;
    this.#waitMs = nextWaitMs;
  }

  #retryLater(): void {
    const delayMs = Math.min(limits.mailPushRetryMs * 2 ** Math.min(this.#failures++, 30), limits.pushRetryMsMax);
    this.#notBeforeMs = this.#delivery.nowMs + delayMs;
    this.start();
  }
}
