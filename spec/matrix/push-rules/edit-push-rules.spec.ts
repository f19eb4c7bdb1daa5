import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MatrixError } from '../../../src/matrix/errors.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { decodePushActions, decodePushRule } from '../../../src/matrix/push-rules/decode-push-rule.ts';
import { defaultPushRules } from '../../../src/matrix/push-rules/default-push-rules.ts';
import {
  addPushRule,
  copyPushRulesToRoom,
  deletePushRule,
  getPushRule,
  setPushRuleActions,
  setPushRuleEnabled,
} from '../../../src/matrix/push-rules/edit-push-rules.ts';
import { pushRuleLimits } from '../../../src/matrix/push-rules/limits.ts';
import type { PushRuleKind, PushRuleset } from '../../../src/matrix/push-rules/push-rule.ts';
import {
  mergePushRules,
  parseUserPushRules,
  serialiseUserPushRules,
  unchangedPushRules,
  type UserPushRules,
} from '../../../src/matrix/push-rules/user-push-rules.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';

const alice = '@alice:example.org' as UserId;
const defaults = defaultPushRules(alice);
const notify = { actions: ['notify'] };
const idsOf = (user: UserPushRules, kind: PushRuleKind): string[] =>
  mergePushRules(user, defaults)[kind].map(({ rule_id: id }) => id);
const withRules = (kind: PushRuleKind, ...ids: string[]): UserPushRules =>
  ids.toReversed().reduce((user, id) => addPushRule(user, kind, id, notify), unchangedPushRules);

function errorOf(work: () => unknown): Pick<MatrixError, 'status' | 'errcode' | 'message'> {
  try {
    work();
  } catch (error) {
    if (error instanceof MatrixError) return { status: error.status, errcode: error.errcode, message: error.message };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('adding a rule', () => {
  test('puts it above the others, enabled and not default', () => {
    const user = withRules('content', 'b');
    expect(addPushRule(user, 'content', 'a', { ...notify, pattern: 'x' }).own.content).toEqual([
      { rule_id: 'a', default: false, enabled: true, actions: ['notify'], pattern: 'x' },
      { rule_id: 'b', default: false, enabled: true, actions: ['notify'] },
    ]);
  });
  test('puts it below master and above the default rules', () => {
    expect(idsOf(withRules('override', 'a'), 'override').slice(0, 3)).toEqual([
      '.m.rule.master',
      'a',
      '.m.rule.suppress_notices',
    ]);
    expect(idsOf(withRules('underride', 'a'), 'underride').slice(0, 2)).toEqual(['a', '.m.rule.call']);
  });
  test.each([
    [{ before: 'b' }, ['a', 'new', 'b', 'c']],
    [{ after: 'b' }, ['a', 'b', 'new', 'c']],
    [{ after: 'c' }, ['a', 'b', 'c', 'new']],
    [{ before: 'b', after: 'c' }, ['a', 'new', 'b', 'c']],
    [{}, ['new', 'a', 'b', 'c']],
  ])('relative to others: %s', (place, expected) => {
    expect(idsOf(addPushRule(withRules('sender', 'a', 'b', 'c'), 'sender', 'new', notify, place), 'sender')).toEqual(
      expected,
    );
  });
  test('of a known id changes it, and moves it only when told to', () => {
    const disabled = setPushRuleEnabled(withRules('room', 'a', 'b', 'c'), defaults, 'room', 'b', false);
    const changed = addPushRule(disabled, 'room', 'b', { actions: [] });
    expect(changed.own.room?.[1]).toEqual({ rule_id: 'b', default: false, enabled: false, actions: [] });
    expect(idsOf(addPushRule(changed, 'room', 'b', notify, { before: 'a' }), 'room')).toEqual(['b', 'a', 'c']);
    expect(idsOf(addPushRule(changed, 'room', 'b', notify, { after: 'c' }), 'room')).toEqual(['a', 'c', 'b']);
  });
  test.each(['', '.mine', '.m.rule.message', 'a/b', 'a\\b', 'x'.repeat(pushRuleLimits.ruleIdBytesMax + 1)])(
    'refuses the id "%s"',
    (id) => {
      expect(errorOf(() => addPushRule(unchangedPushRules, 'content', id, notify))).toMatchObject({
        status: 400,
        errcode: 'M_INVALID_PARAM',
      });
    },
  );
  test.each([
    { before: 'x' },
    { after: 'x' },
    { before: '.m.rule.master' },
    { before: 'new' },
    { before: 'a', after: 'x' },
  ])('refuses a place beside what is not there: %s', (place) => {
    expect(errorOf(() => addPushRule(withRules('override', 'a'), 'override', 'new', notify, place))).toMatchObject({
      status: 400,
      errcode: 'M_UNKNOWN',
      message: expect.stringContaining('before/after rule not found: '),
    });
  });
  test('refuses one rule too many, of whatever kind, and still changes those that are there', () => {
    const rules = Array.from({ length: pushRuleLimits.rulesMax }, (_, index) => ({
      rule_id: `r${index}`,
      default: false,
      enabled: true,
      actions: [],
    }));
    const full: UserPushRules = { own: { room: rules }, changed: {} };
    expect(errorOf(() => addPushRule(full, 'sender', 'a', notify)).errcode).toBe('M_INVALID_PARAM');
    expect(addPushRule(full, 'room', 'r7', notify).own.room?.[7]?.actions).toEqual(['notify']);
  });
});

describe('changing rules', () => {
  test('of the user', () => {
    const user = withRules('room', 'a', 'b');
    expect(setPushRuleEnabled(user, defaults, 'room', 'b', false).own.room?.[1]?.enabled).toBe(false);
    expect(setPushRuleActions(user, defaults, 'room', 'a', ['dont_notify']).own.room?.[0]?.actions).toEqual([
      'dont_notify',
    ]);
    expect(deletePushRule(user, 'room', 'a').own.room?.map(({ rule_id: id }) => id)).toEqual(['b']);
  });
  test('of the server, and back', () => {
    const enabled = setPushRuleEnabled(unchangedPushRules, defaults, 'override', '.m.rule.master', true);
    expect(getPushRule(mergePushRules(enabled, defaults), 'override', '.m.rule.master').enabled).toBe(true);
    const loud = setPushRuleActions(enabled, defaults, 'override', '.m.rule.master', ['notify']);
    expect(getPushRule(mergePushRules(loud, defaults), 'override', '.m.rule.master')).toEqual({
      rule_id: '.m.rule.master',
      default: true,
      enabled: true,
      conditions: [],
      actions: ['notify'],
    });
    const quiet = setPushRuleActions(loud, defaults, 'override', '.m.rule.master', []);
    expect(quiet.changed).toEqual({ '.m.rule.master': { enabled: true } });
    expect(setPushRuleEnabled(quiet, defaults, 'override', '.m.rule.master', false)).toEqual(unchangedPushRules);
  });
  test('that are not there', () => {
    const user = withRules('room', 'a');
    const notFound = { status: 404, errcode: 'M_NOT_FOUND' };
    expect(errorOf(() => getPushRule(defaults, 'room', 'a'))).toMatchObject(notFound);
    expect(errorOf(() => setPushRuleEnabled(user, defaults, 'sender', 'a', true))).toMatchObject(notFound);
    expect(errorOf(() => setPushRuleActions(user, defaults, 'room', '.m.rule.master', []))).toMatchObject(notFound);
    expect(errorOf(() => deletePushRule(user, 'room', 'b'))).toMatchObject(notFound);
    expect(errorOf(() => deletePushRule(user, 'override', '.m.rule.master'))).toMatchObject(notFound);
    expect(errorOf(() => setPushRuleEnabled(user, defaults, 'room', '__proto__', true))).toMatchObject(notFound);
  });
});

describe('rules from clients', () => {
  const condition = { kind: 'event_match', key: 'type', pattern: 'm.*' };
  test('keep what belongs to their kind', () => {
    const body: JsonObject = {
      actions: ['notify'],
      conditions: [condition],
      pattern: 'x',
      rule_id: 'y',
      default: true,
    };
    expect(decodePushRule('override', body)).toEqual({ actions: ['notify'], conditions: [condition] });
    expect(decodePushRule('content', body)).toEqual({ actions: ['notify'], pattern: 'x' });
    expect(decodePushRule('room', body)).toEqual({ actions: ['notify'] });
    expect(decodePushRule('underride', { actions: [] })).toEqual({ actions: [], conditions: [] });
  });
  test('keep historical actions, tweaks of any name and conditions that nobody knows', () => {
    const actions = ['dont_notify', 'coalesce', { set_tweak: 'org.example.flash', value: { speed: 0.5 } }];
    const conditions = [{ kind: 'org.example.moon', phase: 'full' }];
    expect(decodePushRule('override', { actions, conditions })).toEqual({ actions, conditions });
  });
  test.each<[PushRuleKind, JsonObject, string]>([
    ['room', {}, 'M_MISSING_PARAM'],
    ['room', { actions: 'notify' }, 'M_BAD_JSON'],
    ['room', { actions: [1] }, 'M_BAD_JSON'],
    ['room', { actions: [{ value: 1 }] }, 'M_BAD_JSON'],
    ['room', { actions: ['explode'] }, 'M_INVALID_PARAM'],
    ['room', { actions: Array.from({ length: pushRuleLimits.actionsMax + 1 }, () => 'notify') }, 'M_INVALID_PARAM'],
    ['content', { actions: [] }, 'M_MISSING_PARAM'],
    ['content', { actions: [], pattern: 1 }, 'M_BAD_JSON'],
    ['content', { actions: [], pattern: 'x'.repeat(pushRuleLimits.patternBytesMax + 1) }, 'M_INVALID_PARAM'],
    ['override', { actions: [], conditions: {} }, 'M_BAD_JSON'],
    ['override', { actions: [], conditions: ['event_match'] }, 'M_BAD_JSON'],
    ['override', { actions: [], conditions: [{}] }, 'M_MISSING_PARAM'],
    ['override', { actions: [], conditions: [{ kind: 1 }] }, 'M_BAD_JSON'],
    ['override', { actions: [], conditions: [{ ...condition, key: undefined }] }, 'M_MISSING_PARAM'],
    ['override', { actions: [], conditions: [{ ...condition, pattern: 1 }] }, 'M_BAD_JSON'],
    ['override', { actions: [], conditions: [{ kind: 'event_property_is', key: 'a' }] }, 'M_MISSING_PARAM'],
    ['override', { actions: [], conditions: [{ kind: 'event_property_is', key: 'a', value: {} }] }, 'M_BAD_JSON'],
    [
      'override',
      { actions: [], conditions: [{ kind: 'event_property_contains', key: 'a', value: 1.5 }] },
      'M_BAD_JSON',
    ],
    ['override', { actions: [], conditions: [{ kind: 'room_member_count', is: 2 }] }, 'M_BAD_JSON'],
    ['override', { actions: [], conditions: [{ kind: 'sender_notification_permission' }] }, 'M_MISSING_PARAM'],
    ['override', { actions: [], conditions: Array.from({ length: 51 }, () => condition) }, 'M_INVALID_PARAM'],
    ['override', { actions: [{ set_tweak: 'sound', value: 'x'.repeat(20_000) }] }, 'M_TOO_LARGE'],
  ])('%s %s: %s', (kind, body, errcode) => {
    expect(errorOf(() => decodePushRule(kind, body)).errcode).toBe(errcode);
  });
  test('actions alone', () => {
    expect(decodePushActions([])).toEqual([]);
    expect(errorOf(() => decodePushActions(undefined)).errcode).toBe('M_MISSING_PARAM');
    expect(errorOf(() => decodePushActions({})).errcode).toBe('M_BAD_JSON');
  });
});

describe('an upgraded room', () => {
  const [from, to] = ['!old:example.org', '!new'];
  test('gets the rules of the old one', () => {
    const muted = { actions: [], conditions: [{ kind: 'event_match', key: 'room_id', pattern: from }] };
    const user = addPushRule(
      addPushRule(withRules('room', from), 'override', from, muted),
      'override',
      'other',
      notify,
    );
    const copied = copyPushRulesToRoom(user, from, to);
    expect(copied.own.room?.map(({ rule_id: id }) => id)).toEqual([to, from]);
    expect(copied.own.override?.[0]).toEqual({
      rule_id: to,
      default: false,
      enabled: true,
      actions: [],
      conditions: [{ kind: 'event_match', key: 'room_id', pattern: to }],
    });
    expect(copied.own.override).toHaveLength(3);
    expect(copyPushRulesToRoom(copied, from, to)).toEqual(copied);
  });
  test('without rules stays without', () => {
    const user = withRules('room', '!another:example.org');
    expect(copyPushRulesToRoom(user, from, to)).toEqual(user);
  });
});

describe('what is stored', () => {
  test('comes back, and nothing is stored for who has changed nothing', () => {
    expect(serialiseUserPushRules(unchangedPushRules)).toBe('');
    expect(serialiseUserPushRules(deletePushRule(withRules('room', 'a'), 'room', 'a'))).toBe('');
    expect(parseUserPushRules('')).toEqual(unchangedPushRules);
    const user = setPushRuleEnabled(withRules('room', 'a'), defaults, 'underride', '.m.rule.message', false);
    expect(parseUserPushRules(serialiseUserPushRules(user))).toEqual(user);
  });
  test('is the same text whatever the order of changes to default rules', () => {
    const ids = defaults.underride.map(({ rule_id: id }) => id);
    fc.assert(
      fc.property(fc.shuffledSubarray(ids, { minLength: ids.length }), (order) => {
        const disable = (user: UserPushRules, id: string): UserPushRules =>
          setPushRuleEnabled(user, defaults, 'underride', id, false);
        const texts = [order, ids].map((list) => serialiseUserPushRules(list.reduce(disable, unchangedPushRules)));
        expect(texts[0]).toBe(texts[1]);
      }),
    );
  });
  test('changes to rules that are gone say nothing', () => {
    const user: UserPushRules = { own: {}, changed: { '.m.rule.gone': { enabled: false } } };
    expect(mergePushRules(user, defaults)).toEqual<PushRuleset>(defaults);
  });
});

test('JSON values of tweaks are kept as they are', () => {
  const values: JsonValue[] = [null, false, 'x', 1, { a: [1] }];
  for (const value of values)
    expect(decodePushActions([{ set_tweak: 'x', value }])).toEqual([{ set_tweak: 'x', value }]);
});
