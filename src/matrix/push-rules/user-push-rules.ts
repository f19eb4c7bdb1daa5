/** What a user has changed: the part of their rules that is stored. */
import { masterRuleId } from './default-push-rules.ts';
import { pushRuleKinds, type PushAction, type PushRule, type PushRuleKind, type PushRuleset } from './push-rule.ts';

export type UserPushRules = {
  /** The user's own rules by kind, the most important first. */
  readonly own: { readonly [Kind in PushRuleKind]?: readonly PushRule[] };
  /** What is different about default rules, by rule_id. Entries for rules that are gone say nothing. */
  readonly changed: { readonly [ruleId: string]: DefaultRuleChange };
};
export type DefaultRuleChange = { readonly enabled?: boolean; readonly actions?: readonly PushAction[] };

/** Of a user who has changed nothing. */
export const unchangedPushRules: UserPushRules = { own: {}, changed: {} };

/**
 * The rules as clients see them: default rules with the user's changes, and before them the user's own rules, which are
 * more important, but for `.m.rule.master`. https://spec.matrix.org/v1.19/client-server-api/#predefined-rules
 */
export function mergePushRules(user: UserPushRules, defaults: PushRuleset): PushRuleset {
  const merged = (kind: PushRuleKind): readonly PushRule[] => {
    const rules = defaults[kind].map((rule) => changedRule(user, rule));
    const master = rules.filter(({ rule_id: id }) => id === masterRuleId);
    return [...master, ...(user.own[kind] ?? []), ...rules.filter(({ rule_id: id }) => id !== masterRuleId)];
  };
  return {
    override: merged('override'),
    content: merged('content'),
    postcontent: merged('postcontent'),
    room: merged('room'),
    sender: merged('sender'),
    underride: merged('underride'),
  };
}

/** One text for one meaning, so that users with the same changes share a ruleset by its hash. '' when nothing is changed. */
export function serialiseUserPushRules({ own, changed }: UserPushRules): string {
  const kinds = pushRuleKinds.filter((kind) => (own[kind] ?? []).length > 0);
  const ids = Object.keys(changed).sort();
  if (kinds.length === 0 && ids.length === 0) return '';
  return JSON.stringify({
    own: Object.fromEntries(kinds.map((kind) => [kind, own[kind]])),
    changed: Object.fromEntries(ids.map((id) => [id, changed[id]])),
  });
}

/** The reverse of `serialiseUserPushRules`. Only for texts that came from it. */
export function parseUserPushRules(text: string): UserPushRules {
  return text === '' ? unchangedPushRules : (JSON.parse(text) as UserPushRules);
}

function changedRule(user: UserPushRules, rule: PushRule): PushRule {
  return Object.hasOwn(user.changed, rule.rule_id) ? { ...rule, ...user.changed[rule.rule_id] } : rule;
}
