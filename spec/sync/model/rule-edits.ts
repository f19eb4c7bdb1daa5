/** What users may do to their push rules. */
import type { RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import {
  addPushRule,
  deletePushRule,
  setPushRuleActions,
  setPushRuleEnabled,
} from '../../../src/matrix/push-rules/edit-push-rules.ts';
import type { PushRuleset } from '../../../src/matrix/push-rules/push-rule.ts';
import { type UserPushRules, unchangedPushRules } from '../../../src/matrix/push-rules/user-push-rules.ts';

type RuleEdit = (user: UserPushRules, defaults: PushRuleset, userId: UserId, roomId: RoomId) => UserPushRules;
export const ruleEdits: readonly RuleEdit[] = [
  () => unchangedPushRules,
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.master', true),
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.master', false),
  (user, defaults) => setPushRuleActions(user, defaults, 'underride', '.m.rule.message', []),
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.suppress_notices', false),
  (user, defaults) => setPushRuleEnabled(user, defaults, 'override', '.m.rule.is_user_mention', false),
  (user, defaults) => setPushRuleActions(user, defaults, 'override', '.m.rule.reaction', ['notify']),
  (user, _defaults, _userId, roomId) => addPushRule(user, 'room', roomId, { actions: [] }),
  (user, _defaults, _userId, roomId) => addPushRule(user, 'room', roomId, { actions: ['notify'] }),
  (user) =>
    addPushRule(user, 'content', 'fish', { pattern: 'anchov*', actions: ['notify', { set_tweak: 'highlight' }] }),
  (user) => (user.own.content === undefined ? user : deletePushRule(user, 'content', 'fish')),
  (user, _defaults, userId) => addPushRule(user, 'sender', userId.replace(/^@\w+/, '@u1'), { actions: [] }),
];
/** Edits that ask how many members a room has. */
export const memberCountEdits: readonly RuleEdit[] = [
  (user, defaults) => setPushRuleActions(user, defaults, 'underride', '.m.rule.room_one_to_one', []),
  (user) =>
    addPushRule(user, 'override', 'two', {
      conditions: [{ kind: 'room_member_count', is: '<3' }],
      actions: ['notify'],
    }),
  (user) =>
    addPushRule(user, 'override', 'four', {
      conditions: [{ kind: 'room_member_count', is: '4' }],
      actions: ['notify', { set_tweak: 'highlight' }],
    }),
];
