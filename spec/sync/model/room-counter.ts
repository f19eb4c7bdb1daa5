/** How much of one room is unread, counted event by event. */
import { type CompiledPushRules, compilePushRules } from '../../../src/matrix/push-rules/compile-push-rules.ts';
import type { PushRuleset } from '../../../src/matrix/push-rules/push-rule.ts';
import { pushEventOf } from '../../../src/matrix/push-rules/push-event.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import type { LoggedEvent, RoomLog } from './room-log.ts';

export interface Counts {
  readonly notification_count: number;
  readonly highlight_count: number;
}
/** By thread root; 'main' is the rest of the room, or all of it. */
export type CountsByThread = Readonly<Record<string, Counts>>;

export class RoomCounter {
  readonly #log: RoomLog;
  readonly #rulesetOf: (userId: UserId) => PushRuleset;
  /** Up to which position somebody has read everything, and how far single threads. */
  readonly #read = new Map<UserId, number>();
  readonly #readIn = new Map<string, number>();
  readonly #rules = new Map<UserId, CompiledPushRules>();

  constructor(log: RoomLog, rulesetOf: (userId: UserId) => PushRuleset) {
    this.#log = log;
    this.#rulesetOf = rulesetOf;
  }

  /** Sending is reading, and so is joining: what was before is not unread. */
  logged({ type, stateKey, sender, content, pos }: LoggedEvent): void {
    // A tombstone counts for everybody, so that its sender has read it, too.
    if (stateKey === undefined || type === 'm.room.tombstone') this.readUpTo(sender, pos, undefined);
    else if (type === 'm.room.member' && content['membership'] === 'join') {
      const userId = stateKey as UserId;
      if (this.#log.membershipAt(userId, pos - 1) !== 'join') this.readUpTo(userId, pos, undefined);
    }
  }

  /** `thread` undefined: all of them. */
  readUpTo(userId: UserId, pos: number, thread: string | undefined): void {
    if (thread === undefined) this.#read.set(userId, Math.max(pos, this.#read.get(userId) ?? 0));
    else this.#readIn.set(`${userId} ${thread}`, Math.max(pos, this.#readIn.get(`${userId} ${thread}`) ?? 0));
  }

  rulesChanged(userId: UserId): void {
    this.#rules.delete(userId);
  }

  /** Whom they ignore does not count for them. */
  unread(userId: UserId, byThread: boolean, ignored: ReadonlySet<UserId>): CountsByThread {
    const counts: Record<string, Counts> = { main: { notification_count: 0, highlight_count: 0 } };
    const read = this.#read.get(userId) ?? 0;
    for (const { eventId, pos, sender, thread, event } of this.#log.events) {
      if (pos <= read || pos <= (this.#readIn.get(`${userId} ${thread}`) ?? 0)) continue;
      if (sender === userId || ignored.has(sender) || this.#log.redactedAt(eventId) !== undefined) continue;
      const room = { memberCount: 3, senderMayNotify: () => false };
      const outcome = this.#rulesOf(userId).evaluate(pushEventOf(event), room, { userId, displayName: undefined });
      if (!outcome.notify && !outcome.highlight) continue;
      const part = byThread ? thread : 'main';
      const known = counts[part] ?? { notification_count: 0, highlight_count: 0 };
      counts[part] = {
        notification_count: known.notification_count + (outcome.notify ? 1 : 0),
        highlight_count: known.highlight_count + (outcome.highlight ? 1 : 0),
      };
    }
    return counts;
  }

  #rulesOf(userId: UserId): CompiledPushRules {
    const known = this.#rules.get(userId) ?? compilePushRules(this.#rulesetOf(userId));
    this.#rules.set(userId, known);
    return known;
  }
}
