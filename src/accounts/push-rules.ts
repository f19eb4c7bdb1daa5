/**
 * Push rules of users. Only what somebody changed of the default rules is stored, and each distinct set of changes once, so
 * most people share a handful. https://spec.matrix.org/v1.19/client-server-api/#push-rules-api
 */
import { hash as digest } from 'node:crypto';
import type { UserId } from '../matrix/ids/ids.ts';
import { defaultPushRules } from '../matrix/push-rules/default-push-rules.ts';
import type { PushRuleset } from '../matrix/push-rules/push-rule.ts';
import {
  mergePushRules,
  parseUserPushRules,
  serialiseUserPushRules,
  unchangedPushRules,
  type UserPushRules,
} from '../matrix/push-rules/user-push-rules.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { noRoom } from '../storage/stores/account-data-store.ts';
import { internPushRuleset, pushRulesetOfUser, setPushRulesetOfUser } from '../storage/stores/push-ruleset-store.ts';
import type { AccountsContext } from './context.ts';

interface Owner {
  readonly userNid: number;
  readonly userId: UserId;
}
export interface LoadedPushRules {
  /** As clients see it. */
  readonly ruleset: PushRuleset;
  /** What the user has changed. */
  readonly changes: UserPushRules;
  /** Position of the last change; 0: there was none. */
  readonly pos: number;
}

export async function loadPushRules(ctx: Pick<AccountsContext, 'db'>, owner: Owner): Promise<LoadedPushRules> {
  const row = await ctx.db.one(pushRulesetOfUser, { user: owner.userNid });
  const changes = row === undefined ? unchangedPushRules : parseUserPushRules(row.json);
  return { ruleset: mergePushRules(changes, defaultPushRules(owner.userId)), changes, pos: row?.pos ?? 0 };
}

/**
 * Stores what `edit` makes of the user's changes (see matrix/push-rules/edit-push-rules.ts), one at a time per user. What
 * `edit` throws, this throws.
 */
export async function editPushRules(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  { userNid, userId }: Owner,
  edit: (changes: UserPushRules, defaults: PushRuleset) => UserPushRules,
): Promise<void> {
  await ctx.locks.run(userNid, async () => {
    const { changes } = await loadPushRules(ctx, { userNid, userId });
    const edited = edit(changes, defaultPushRules(userId));
    if (serialiseUserPushRules(edited) === serialiseUserPushRules(changes)) return;
    await ctx.db.write((unit) => writePushRules(unit, userNid, edited)).committed;
  });
}

/** Part of a unit. */
export function writePushRules(unit: UnitBuilder, userNid: number, changes: UserPushRules): void {
  const json = serialiseUserPushRules(changes);
  const hash = digest('sha256', json, 'buffer');
  const pos = unit.nextPos();
  unit.run(internPushRuleset, { hash, json });
  unit.run(setPushRulesetOfUser, { user: userNid, hash, pos });
  unit.wake({ kind: 'account-data', userNid, room: noRoom, pos });
  unit.wake({ kind: 'push-rules', userNid });
}
