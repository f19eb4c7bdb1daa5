/**
 * The changes that the push rules API makes, as functions from what is stored to what is stored.
 * https://spec.matrix.org/v1.19/client-server-api/#push-rules-api
 */
import { invalidParam, MatrixError, notFound } from '../errors.ts';
import type { NewPushRule } from './decode-push-rule.ts';
import { pushRuleLimits } from './limits.ts';
import type { PushAction, PushRule, PushRuleKind, PushRuleset } from './push-rule.ts';
import { mergePushRules, type DefaultRuleChange, type UserPushRules } from './user-push-rules.ts';

/** Where a rule is put: directly above `before`, or directly below `after`; `before` wins. Both name the user's own rules. */
export interface RulePlace {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** The rule of a whole ruleset. Throws 404 M_NOT_FOUND. */
export function getPushRule(ruleset: PushRuleset, kind: PushRuleKind, ruleId: string): PushRule {
  const found = ruleset[kind].find(({ rule_id: id }) => id === ruleId);
  if (found === undefined) throw notFound('The push rule was not found.');
  return found;
}

/**
 * Adds a rule, enabled; or gives the user's rule of that id new parameters and leaves it enabled or not as it was. A new
 * rule without a place becomes the most important, an old one stays where it is.
 * Throws 400 M_INVALID_PARAM for an id that is reserved, not allowed or too long, or for one rule too many, and
 * 400 M_UNKNOWN when `before` or `after` is not a rule of the user and this kind.
 */
export function addPushRule(
  user: UserPushRules,
  kind: PushRuleKind,
  ruleId: string,
  rule: NewPushRule,
  place: RulePlace = {},
): UserPushRules {
  checkNewRuleId(ruleId);
  const present = user.own[kind] ?? [];
  const old = present.find(({ rule_id: id }) => id === ruleId);
  if (old === undefined && countOwn(user) >= pushRuleLimits.rulesMax)
    throw invalidParam(`There can be at most ${pushRuleLimits.rulesMax} push rules`);
  const others = present.filter((other) => other !== old);
  const added: PushRule = { rule_id: ruleId, default: false, enabled: old?.enabled ?? true, ...rule };
  const at = findPlace(others, place) ?? (old === undefined ? 0 : present.indexOf(old));
  return withOwn(user, kind, others.toSpliced(at, 0, added));
}

/** Throws 404 M_NOT_FOUND where the user has no such rule; default rules cannot be deleted. */
export function deletePushRule(user: UserPushRules, kind: PushRuleKind, ruleId: string): UserPushRules {
  const present = user.own[kind] ?? [];
  const rest = present.filter(({ rule_id: id }) => id !== ruleId);
  if (rest.length === present.length) throw notFound('The push rule was not found.');
  return withOwn(user, kind, rest);
}

/** Enables or disables a rule, a default one as well. Throws 404 M_NOT_FOUND. */
export function setPushRuleEnabled(
  user: UserPushRules,
  defaults: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  enabled: boolean,
): UserPushRules {
  return changeRule(user, defaults, kind, ruleId, { enabled });
}

/** Replaces the actions of a rule, a default one as well. Throws 404 M_NOT_FOUND. */
export function setPushRuleActions(
  user: UserPushRules,
  defaults: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  actions: readonly PushAction[],
): UserPushRules {
  return changeRule(user, defaults, kind, ruleId, { actions });
}

/**
 * Gives a room the rules that the user has for another one, as when the room is upgraded: its room rule, and the override
 * and underride rules that name the room in a condition. Rules that are already there stay as they are.
 */
export function copyPushRulesToRoom(user: UserPushRules, fromRoomId: string, toRoomId: string): UserPushRules {
  const roomRule = user.own.room?.find(({ rule_id: id }) => id === fromRoomId);
  const copied = roomRule === undefined ? user : addUnlessPresent(user, 'room', { ...roomRule, rule_id: toRoomId });
  return (['override', 'underride'] as const).reduce(
    (rules, kind) => copyConditionsToRoom(rules, kind, fromRoomId, toRoomId),
    copied,
  );
}

function copyConditionsToRoom(
  user: UserPushRules,
  kind: 'override' | 'underride',
  fromRoomId: string,
  toRoomId: string,
): UserPushRules {
  const naming = (user.own[kind] ?? []).filter(({ conditions = [] }) =>
    conditions.some(({ key, pattern }) => key === 'room_id' && pattern === fromRoomId),
  );
  return naming.reduceRight((rules, rule) => {
    const conditions = (rule.conditions ?? []).map((condition) =>
      condition['key'] === 'room_id' && condition['pattern'] === fromRoomId
        ? { ...condition, pattern: toRoomId }
        : condition,
    );
    const id = rule.rule_id.includes(fromRoomId)
      ? rule.rule_id.replace(fromRoomId, toRoomId)
      : `${rule.rule_id}_${toRoomId}`;
    return addUnlessPresent(rules, kind, { ...rule, rule_id: id, conditions });
  }, user);
}

function addUnlessPresent(user: UserPushRules, kind: PushRuleKind, rule: PushRule): UserPushRules {
  const present = user.own[kind] ?? [];
  const isThere = present.some(({ rule_id: id }) => id === rule.rule_id);
  return isThere || countOwn(user) >= pushRuleLimits.rulesMax ? user : withOwn(user, kind, [rule, ...present]);
}

function checkNewRuleId(ruleId: string): void {
  if (ruleId === '') throw invalidParam('A push rule needs an id');
  if (ruleId.startsWith('.')) throw invalidParam('Ids that start with a dot are reserved for default rules');
  if (/[/\\]/.test(ruleId)) throw invalidParam('The id of a push rule must not contain slashes or backslashes');
  if (Buffer.byteLength(ruleId) > pushRuleLimits.ruleIdBytesMax)
    throw invalidParam(`The id of a push rule must be at most ${pushRuleLimits.ruleIdBytesMax} bytes long`);
}

function findPlace(others: readonly PushRule[], { before, after }: RulePlace): number | undefined {
  const indexOf = (id: string): number => {
    const index = others.findIndex((rule) => rule.rule_id === id);
    if (index === -1) throw new MatrixError(400, 'M_UNKNOWN', `before/after rule not found: ${id}`);
    return index;
  };
  const below = after === undefined ? undefined : indexOf(after) + 1;
  return before === undefined ? below : indexOf(before);
}

function changeRule(
  user: UserPushRules,
  defaults: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  change: DefaultRuleChange,
): UserPushRules {
  const rule = getPushRule(mergePushRules(user, defaults), kind, ruleId);
  if (!rule.default)
    return withOwn(
      user,
      kind,
      (user.own[kind] ?? []).map((own) => (own.rule_id === ruleId ? { ...own, ...change } : own)),
    );
  return withChange(user, getPushRule(defaults, kind, ruleId), change);
}

/** A default rule that is back to what it was is not a change. */
function withChange(user: UserPushRules, original: PushRule, change: DefaultRuleChange): UserPushRules {
  const { [original.rule_id]: before, ...others } = user.changed;
  const { enabled, actions } = { ...before, ...change };
  const difference: DefaultRuleChange = {
    ...(enabled === undefined || enabled === original.enabled ? {} : { enabled }),
    ...(actions === undefined || JSON.stringify(actions) === JSON.stringify(original.actions) ? {} : { actions }),
  };
  const isDifferent = Object.keys(difference).length > 0;
  return { ...user, changed: isDifferent ? { ...others, [original.rule_id]: difference } : others };
}

function withOwn(user: UserPushRules, kind: PushRuleKind, rules: readonly PushRule[]): UserPushRules {
  return { ...user, own: { ...user.own, [kind]: rules } };
}

function countOwn({ own }: UserPushRules): number {
  return Object.values(own).reduce((sum, rules) => sum + rules.length, 0);
}
