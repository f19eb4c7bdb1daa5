/** What is true of the rooms and users beside the events, as of now. */
import type { EventId, RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { defaultPushRules } from '../../../src/matrix/push-rules/default-push-rules.ts';
import type { PushRuleset } from '../../../src/matrix/push-rules/push-rule.ts';
import {
  type UserPushRules,
  mergePushRules,
  unchangedPushRules,
} from '../../../src/matrix/push-rules/user-push-rules.ts';
import type { ModelPresence } from './model-presence.ts';
import { type CountsByThread, RoomCounter } from './room-counter.ts';
import { RoomLog } from './room-log.ts';

export class Truth {
  readonly logs = new Map<RoomId, RoomLog>();
  readonly counters = new Map<RoomId, RoomCounter>();
  /** room → user, type and thread → event */
  readonly receipts = new Map<RoomId, Map<string, EventId>>();
  /** room → user → until when, on the monotonic clock */
  readonly typing = new Map<RoomId, Map<UserId, number>>();
  /** user, room ('' for none) and type → content */
  readonly accountData = new Map<string, JsonObject>();
  /** Whom they ignore. */
  readonly #ignored = new Map<UserId, ReadonlySet<UserId>>();
  readonly #rules = new Map<UserId, UserPushRules>();
  /** By the number of the device: those of the messages that were sent to it. */
  readonly messages = new Map<number, number[]>();
  /** undefined: nobody is ever told. */
  readonly presence: ModelPresence | undefined;
  readonly users: readonly UserId[];

  constructor(users: readonly UserId[], presence: ModelPresence | undefined) {
    this.users = users;
    this.presence = presence;
  }

  ignoredBy(userId: UserId): ReadonlySet<UserId> {
    return this.#ignored.get(userId) ?? new Set();
  }
  ignores(userId: UserId, ignored: ReadonlySet<UserId>): void {
    this.#ignored.set(userId, ignored);
  }

  /** What they changed of the default rules. */
  rulesOf(userId: UserId): UserPushRules {
    return this.#rules.get(userId) ?? unchangedPushRules;
  }
  rulesetOf(userId: UserId): PushRuleset {
    return mergePushRules(this.rulesOf(userId), defaultPushRules(userId));
  }
  changeRules(userId: UserId, rules: UserPushRules): void {
    this.#rules.set(userId, rules);
    for (const counter of this.counters.values()) counter.rulesChanged(userId);
  }

  unread(roomId: RoomId, userId: UserId, byThread: boolean): CountsByThread {
    return this.counters.get(roomId)?.unread(userId, byThread, this.ignoredBy(userId)) ?? {};
  }

  follow(roomId: RoomId): void {
    const log = new RoomLog();
    this.logs.set(roomId, log);
    this.counters.set(roomId, new RoomCounter(log, (userId) => this.rulesetOf(userId)));
    this.receipts.set(roomId, new Map());
    this.typing.set(roomId, new Map());
  }

  /** Whether two users were in a room together at any position of a stretch. */
  share(a: UserId, b: UserId, from: number, until: number): boolean {
    return this.#moments(a, b, from, until).some((pos) => this.#areTogether(a, b, pos));
  }
  /** The same for all of it. */
  shareAlways(a: UserId, b: UserId, from: number, until: number): boolean {
    return this.#moments(a, b, from, until).every((pos) => this.#areTogether(a, b, pos));
  }

  /** Positions at which they moved. */
  #moments(a: UserId, b: UserId, from: number, until: number): number[] {
    const moves = [...this.logs.values()].flatMap((log) => [...log.movesOf(a, until), ...log.movesOf(b, until)]);
    return [from, ...moves.filter((pos) => pos > from)];
  }

  #areTogether(a: UserId, b: UserId, pos: number): boolean {
    const isIn = (log: RoomLog, userId: UserId): boolean => log.membershipAt(userId, pos) === 'join';
    return [...this.logs.values()].some((log) => isIn(log, a) && isIn(log, b));
  }
}
