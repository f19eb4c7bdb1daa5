/** Whom a client takes for being there. */
import assert from 'node:assert/strict';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import type { SyncAnswer } from '../../support/test-rooms.ts';
import type { Seen } from './model-presence.ts';
import type { Truth } from './truth.ts';

export class KnownPresence {
  readonly #userId: UserId;
  readonly #seen = new Map<UserId, Seen>();
  /** Those who may have changed without the client being told. */
  readonly #unsure = new Set<UserId>();

  constructor(userId: UserId) {
    this.#userId = userId;
  }

  forget(): void {
    this.#seen.clear();
    this.#unsure.clear();
  }

  unsureOf(userIds: Iterable<UserId>): void {
    for (const userId of userIds) this.#unsure.add(userId);
  }

  /** Nobody is seen but those who share a room, or did when they changed last. */
  take({ presence: told }: SyncAnswer, since: number, now: number, truth: Truth): void {
    const { presence } = truth;
    // Who came in while the answer was made may be in it.
    const until = Infinity;
    for (const { type, sender, content } of told?.events ?? []) {
      assert.ok(presence !== undefined && type === 'm.presence', 'presence is switched on');
      assert.notEqual(sender, this.#userId, 'nobody is told of themselves');
      assert.ok(!truth.ignoredBy(this.#userId).has(sender), 'nobody ignored is seen');
      assert.ok(truth.share(sender, this.#userId, presence.toldPos(sender), until), `${sender} shares a room`);
      const status = content['status_msg'];
      const state = String(content['presence']);
      this.#seen.set(sender, { state, status: typeof status === 'string' ? status : undefined });
      this.#unsure.delete(sender);
    }
    // Of who shared no room for a while something was missed.
    for (const userId of truth.users)
      if (
        since >= 0 &&
        !told?.events.some(({ sender }) => sender === userId) &&
        !truth.shareAlways(userId, this.#userId, since, now)
      ) {
        this.#seen.delete(userId);
        this.#unsure.add(userId);
      }
  }

  /** Everything that happened has had the time to be told. */
  assertComplete(truth: Truth, now: number): void {
    const { presence } = truth;
    if (presence === undefined) return;
    for (const userId of truth.users) {
      const isTold = userId !== this.#userId && !truth.ignoredBy(this.#userId).has(userId);
      if (!isTold || this.#unsure.has(userId) || !truth.share(userId, this.#userId, now, now)) continue;
      const known = this.#seen.get(userId);
      const actual = presence.find(userId);
      if (actual === undefined) continue;
      assert.equal(known?.state ?? 'offline', actual.state, `whether ${userId} is there`);
      if (actual.state !== 'offline') assert.equal(known?.status, actual.status, `what ${userId} says`);
    }
  }
}
