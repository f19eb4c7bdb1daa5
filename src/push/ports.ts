/** What push needs of others and must not import. The composition root hands the implementations over. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { CompiledPushRules } from '../matrix/push-rules/compile-push-rules.ts';

export interface Owner {
  readonly userId: UserId;
  readonly userNid: number;
}

/** `sync` implements it: what devices are told in a push is what they are told in /sync. */
export interface Unread {
  /** How many notifications are unread in all rooms of a user, each invite being one. */
  unreadOf(owner: Owner): Promise<number>;
  /** Up to which place (ord) a user has read in a room, by the thread. */
  readOrds(owner: Owner, room: number): Promise<(thread: string) => number>;
}

/** `sync` implements it. */
export interface PushRules {
  /** undefined: the user has changed none of the default rules. */
  customRulesOf(owner: Owner): Promise<CompiledPushRules | undefined>;
}
