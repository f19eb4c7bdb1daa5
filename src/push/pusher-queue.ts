/**
 * What one HTTP pusher is still to be told, and how it is told: one notification after another, each until its gateway has taken
 * it or it is too late. https://spec.matrix.org/v1.19/push-gateway-api/#homeserver-behaviour
 */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { TimerHandle } from '../platform/ports.ts';
import { type PusherRow, setPusherTold } from '../storage/stores/pusher-store.ts';
import type { Delivery } from './delivery.ts';
import type { PushUser } from './push-user.ts';
import { type PendingPush, type Queue, withEarlier } from './queue.ts';

export class PusherQueue implements Queue {
  readonly id: number;
  readonly user: PushUser;
  readonly livePos: number;
  readonly notesForItself = false;
  isBehindOnDisk: boolean;
  /** What the devices were told last of how much is unread; undefined: not known. */
  #toldUnread: number | undefined;
  /** Nothing up to here is sent again. */
  #toldPos: number;
  #row: PusherRow;
  #data: JsonObject;
  readonly #delivery: Delivery;
  #pending: PendingPush[] = [];
  #wantsBadge = false;
  #isRunning = false;
  #running = Promise.resolve();
  #isClosed = false;
  #failures = 0;
  #refusals = 0;
  #retry: TimerHandle | undefined;

  constructor(user: PushUser, row: PusherRow, livePos: number, delivery: Delivery) {
    this.id = row.pusher;
    this.user = user;
    this.livePos = livePos;
    this.isBehindOnDisk = row.behind === 1;
    this.#toldPos = row.told_pos;
    this.#row = row;
    this.#data = JSON.parse(row.data) as JsonObject;
    this.#delivery = delivery;
  }

  get row(): PusherRow {
    return this.#row;
  }
  get data(): JsonObject {
    return this.#data;
  }
  get isEnabled(): boolean {
    return this.#row.enabled === 1 && !this.#isClosed;
  }
  get firstPendingPos(): number | undefined {
    return this.#pending[0]?.pos;
  }

  update(row: PusherRow): void {
    this.#row = row;
    this.#data = JSON.parse(row.data) as JsonObject;
    this.#failures = 0;
    this.#retry?.cancel();
    this.#retry = undefined;
    if (row.enabled === 0) this.#pending = [];
    else this.start();
  }

  add(push: PendingPush): void {
    this.#pending.push(push);
    if (this.#pending.length > limits.pushesWaitingMax) this.#pending.splice(this.#isRunning ? 1 : 0, 1);
  }
  addEarlier(pushes: readonly PendingPush[]): void {
    this.#pending = withEarlier(this.#pending, pushes, this.#toldPos);
  }

  tellUnread(unread: number): void {
    if (unread === this.#toldUnread || this.#data['org.matrix.msc4076.disable_badge_count'] === true) return;
    this.#wantsBadge = true;
    this.start();
  }

  start(): void {
    if (this.#isRunning || this.#retry !== undefined || !this.#hasWork()) return;
    this.#isRunning = true;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#retry = undefined;
    await this.#running;
  }

  #hasWork(): boolean {
    return this.isEnabled && (this.#pending.length > 0 || this.#wantsBadge);
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork() && this.#retry === undefined) await this.#sendNext();
    } catch (error) {
      this.#delivery.report(error);
      this.#retryLater();
    } finally {
      this.#isRunning = false;
    }
  }

  async #sendNext(): Promise<void> {
    const [push] = this.#pending;
    const outcome = await this.#delivery.deliver(this, push);
    if (this.#isClosed && outcome.kind !== 'delivered') return;
    switch (outcome.kind) {
      case 'delivered':
        this.#toldUnread = outcome.unread;
        // It comes with every notification.
        this.#wantsBadge = false;
        this.#failures = this.#refusals = 0;
        return push === undefined ? undefined : this.#done(push);
      case 'obsolete':
        if (push === undefined) this.#wantsBadge = false;
        else this.#drop(push);
        return undefined;
      case 'rejected':
        this.#isClosed = true;
        return undefined;
      case 'refused':
        if (push === undefined) this.#wantsBadge = false;
        else if (++this.#refusals >= limits.pushRefusalsMax) {
          this.#refusals = 0;
          return this.#done(push);
        }
        return this.#retryLater();
      case 'failed':
        return this.#retryLater();
    }
  }

  /** It must not be sent again, also after a restart. */
  async #done(push: PendingPush): Promise<void> {
    this.#drop(push);
    this.#toldPos = push.pos;
    await this.#delivery.db.write((unit) => unit.run(setPusherTold, { pusher: this.id, pos: push.pos })).committed;
  }

  #drop(push: PendingPush): void {
    const index = this.#pending.indexOf(push);
    if (index >= 0) this.#pending.splice(index, 1);
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    const longestMs = Math.min(limits.pushRetryMs * 2 ** Math.min(this.#failures++, 30), limits.pushRetryMsMax);
    this.#retry = this.#delivery.afterBackOff(longestMs, () => {
      this.#retry = undefined;
      this.start();
    });
  }
}
