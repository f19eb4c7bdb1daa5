/** One user of another server who is not offline, as their server says. No timers, no clock. */
import { limits } from '../platform/limits.ts';
import type { Activity, SeenUser, VisiblePresence } from './presence-state.ts';
import { absent } from './presence-state.ts';

export class RemoteUser implements SeenUser {
  readonly userNid: number;
  readonly activity: Activity;
  #visible: VisiblePresence = absent;
  #heardMs = 0;

  constructor(userNid: number) {
    this.userNid = userNid;
    this.activity = { lastActiveMs: 0 };
  }

  /** `lastActiveMs` on the monotonic clock. */
  set(visible: VisiblePresence, lastActiveMs: number, nowMs: number): void {
    this.#visible = visible;
    this.activity.lastActiveMs = lastActiveMs;
    this.#heardMs = nowMs;
  }

  get statusMessage(): string | undefined {
    return this.#visible.statusMessage;
  }
  get isConnected(): boolean {
    return this.#visible.state !== 'offline';
  }
  visible(): VisiblePresence {
    return this.#visible;
  }

  /** A server that is silent for long has nobody who is online. */
  expire(nowMs: number): void {
    if (this.#heardMs + limits.remotePresenceMs <= nowMs) this.#visible = { ...this.#visible, state: 'offline' };
  }
  nextCheckMs(nowMs: number): number {
    return Math.max(nowMs, this.#heardMs) + limits.remotePresenceMs;
  }

  disconnect(): void {
    this.#visible = { ...this.#visible, state: 'offline' };
  }
}
