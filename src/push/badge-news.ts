/**
 * Tells devices how much is unread when that has changed without an event that they are notified of: because something was
 * read, on another device or by sending. https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify
 */
import { limits } from '../platform/limits.ts';
import type { TimerHandle } from '../platform/ports.ts';
import type { PushContext } from './context.ts';
import type { PushUsers } from './push-users.ts';

export class BadgeNews {
  readonly #ctx: Pick<PushContext, 'timers' | 'unread' | 'onFailed'>;
  readonly #users: PushUsers;
  /** What is read in a row is told once. */
  readonly #soon = new Map<number, TimerHandle>();

  constructor(ctx: Pick<PushContext, 'timers' | 'unread' | 'onFailed'>, users: PushUsers) {
    this.#ctx = ctx;
    this.#users = users;
  }

  mayHaveChanged(userNid: number): void {
    if (this.#soon.has(userNid) || this.#users.find(userNid) === undefined) return;
    const timer = this.#ctx.timers.after(limits.badgeDelayMs, () => {
      this.#soon.delete(userNid);
      this.#tell(userNid).catch((error: unknown) => this.#ctx.onFailed(error));
    });
    this.#soon.set(userNid, timer);
  }

  close(): void {
    for (const timer of this.#soon.values()) timer.cancel();
    this.#soon.clear();
  }

  async #tell(userNid: number): Promise<void> {
    const user = this.#users.find(userNid);
    if (user === undefined) return;
    const unread = await this.#ctx.unread.unreadOf(user);
    for (const queue of user.queues.values()) if (queue.isEnabled) queue.tellUnread(unread);
  }
}
