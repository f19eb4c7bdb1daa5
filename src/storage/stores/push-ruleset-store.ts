/**
 * Push rules: table push_ruleset has each distinct set of changes to the default rules once (most people share a handful),
 * user_push_ruleset says who has which. No row: the default rules.
 */
import { defineRead, defineWrite } from '../query.ts';

export interface UserPushRulesetRow {
  readonly hash: Buffer;
  readonly json: string;
  /** When it was last changed. */
  readonly pos: number;
}

export const pushRulesetOfUser = defineRead<{ user: number }, UserPushRulesetRow>('pushRuleset.ofUser', (q, p) =>
  q
    .selectFrom('user_push_ruleset')
    .innerJoin('push_ruleset', 'push_ruleset.hash', 'user_push_ruleset.hash')
    .select(['push_ruleset.hash', 'push_ruleset.json', 'user_push_ruleset.pos'])
    .where('user_push_ruleset.user_nid', '=', p.user),
);

export const internPushRuleset = defineWrite<{ hash: Buffer; json: string }>('pushRuleset.intern', (q, p) =>
  q
    .insertInto('push_ruleset')
    .values({ hash: p.hash, json: p.json })
    .onConflict((conflict) => conflict.column('hash').doNothing()),
);

export const setPushRulesetOfUser = defineWrite<{ user: number; hash: Buffer; pos: number }>(
  'pushRuleset.setOfUser',
  (q, p) =>
    q
      .insertInto('user_push_ruleset')
      .values({ user_nid: p.user, hash: p.hash, pos: p.pos })
      .onConflict((conflict) =>
        conflict.column('user_nid').doUpdateSet((e) => ({ hash: e.ref('excluded.hash'), pos: e.ref('excluded.pos') })),
      ),
);

export const deletePushRulesetOfUser = defineWrite<{ user: number }>('pushRuleset.deleteOfUser', (q, p) =>
  q.deleteFrom('user_push_ruleset').where('user_nid', '=', p.user),
);
