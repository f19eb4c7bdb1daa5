/** Evaluation against the cases of other projects. */
import { describe, expect, test } from 'vitest';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/matrix/json/json-value.ts';
import { parsePropertyPath } from '../../../src/matrix/json/property-path.ts';
import { compilePushRules } from '../../../src/matrix/push-rules/compile-push-rules.ts';
import { defaultPushRules } from '../../../src/matrix/push-rules/default-push-rules.ts';
import { senderMayNotify, type PushRecipient, type PushRoom } from '../../../src/matrix/push-rules/push-context.ts';
import { PushEvent } from '../../../src/matrix/push-rules/push-event.ts';
import { tweaksOf, type PushOutcome } from '../../../src/matrix/push-rules/push-outcome.ts';
import type { PushAction, PushCondition, PushRuleset } from '../../../src/matrix/push-rules/push-rule.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface Context {
  readonly room_id: string;
  readonly member_count: number;
  readonly user_id: UserId;
  readonly display_name: string;
  /** Of room version 12: they stand above all levels. */
  readonly creators?: readonly UserId[];
  readonly power_levels?: {
    readonly users: Readonly<Record<string, number>>;
    readonly users_default: number;
    readonly notifications: JsonObject;
  };
}
const noRules: PushRuleset = { override: [], content: [], postcontent: [], room: [], sender: [], underride: [] };
const file = <Case>(name: string): { readonly cases: readonly Case[] } & JsonObject =>
  loadFixture(`push-rules/${name}.json`);

function roomOf({ member_count: memberCount, power_levels: levels, creators }: Context, event: JsonObject): PushRoom {
  const sender = typeof event['sender'] === 'string' ? event['sender'] : '';
  const isCreator = creators?.some((creator) => creator === sender) === true;
  const listed = levels === undefined ? -Infinity : (levels.users[sender] ?? levels.users_default);
  const level = isCreator ? Infinity : listed;
  return { memberCount, senderMayNotify: (key) => senderMayNotify(key, level, levels) };
}
const recipientOf = (context: Context): PushRecipient => ({
  userId: context.user_id,
  displayName: context.display_name,
});

function evaluate(ruleset: Partial<PushRuleset>, event: JsonObject, context: Context): PushOutcome {
  const inRoom = { room_id: context.room_id, ...event };
  const rules = compilePushRules({ ...noRules, ...ruleset });
  return rules.evaluate(new PushEvent(inRoom), roomOf(context, event), recipientOf(context));
}

function conditionHolds(condition: PushCondition, event: JsonObject, context: Context): boolean {
  const rule = { rule_id: 'tested', default: false, enabled: true, actions: ['notify'], conditions: [condition] };
  return evaluate({ override: [rule] }, event, context).notify;
}

/** Rebuilds the event that flattens to these properties. */
function unflatten(flattened: JsonObject): JsonObject {
  const event: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(flattened)) {
    const path = parsePropertyPath(key);
    let object = event;
    for (const name of path.slice(0, -1)) object = (object[name] ??= {}) as Record<string, unknown>;
    object[path.at(-1)!] = value;
  }
  return event as JsonObject;
}

const lonely: Context = {
  room_id: '!room:example.com',
  member_count: 0,
  user_id: '@user:test' as UserId,
  display_name: '',
};

describeShared('conditions', () => {
  interface Case {
    readonly name?: string;
    readonly condition: PushCondition;
    readonly event: JsonObject;
    readonly context: Context;
    readonly matches: boolean;
  }
  test.each(file<Case>('ruma-conditions').cases)('ruma: $condition', ({ condition, event, context, matches }) => {
    expect(conditionHolds(condition, event, context)).toBe(matches);
  });
  const dendrite: Context = {
    ...lonely,
    member_count: 2,
    display_name: 'Dear User',
    power_levels: { users: { '@poweruser:example.com': 100 }, users_default: 0, notifications: { powerlevel: 100 } },
  };
  test.each(file<Case>('dendrite-conditions').cases)('Dendrite: $name', ({ condition, event, matches }) => {
    expect(conditionHolds(condition, event, dendrite)).toBe(matches);
  });

  interface FlatCase extends Case {
    readonly flattened_event: JsonObject;
    readonly user_id: UserId;
    readonly display_name: string;
  }
  test.each(file<FlatCase>('synapse-conditions').cases)('Synapse: $name $condition $flattened_event', (given) => {
    const context = { ...lonely, user_id: given.user_id, display_name: given.display_name };
    expect(conditionHolds(given.condition, unflatten(given.flattened_event), context)).toBe(given.matches);
  });

  interface CountCase {
    readonly is: string;
    readonly count: number;
    readonly matches: boolean;
  }
  test.each(file<CountCase>('member-count').cases)('$count members, $is', ({ is, count, matches }) => {
    expect(conditionHolds({ kind: 'room_member_count', is }, {}, { ...lonely, member_count: count })).toBe(matches);
  });
});
describeShared('properties by their paths', () => {
  /** Every property that a path leads to, objects and fractions left out. */
  function flatten(object: JsonObject, prefix = ''): Record<string, JsonValue> {
    const flat: Record<string, JsonValue> = {};
    for (const [name, value] of Object.entries(object)) {
      const key = prefix + name.replaceAll('\\', '\\\\').replaceAll('.', '\\.');
      if (isJsonObject(value)) Object.assign(flat, flatten(value, `${key}.`));
      else if (Array.isArray(value))
        flat[key] = value.filter((item: JsonValue) => typeof item !== 'object' || item === null);
      else if (typeof value !== 'number' || Number.isSafeInteger(value)) flat[key] = value ?? null;
    }
    return flat;
  }
  interface Case {
    readonly input: JsonObject;
    readonly flattened: JsonObject;
  }
  test.each(file<Case>('flatten').cases)('$input', ({ input, flattened }) => {
    const event = new PushEvent(input);
    expect(flatten(input)).toEqual(flattened);
    for (const [key, value] of Object.entries(flattened)) {
      const found = event.property(parsePropertyPath(key));
      if (Array.isArray(value))
        expect(found).toSatisfy((list: unknown[]) => value.every((item: unknown) => list.includes(item)));
      else expect(found).toBe(value);
    }
  });
});

/** A tweak without a value in the source's assertion may have any. */
function expectActions(actual: readonly PushAction[], expected: readonly PushAction[]): void {
  const wanted = expected.map((action) =>
    typeof action === 'string' || action['value'] !== undefined || action.set_tweak === 'highlight'
      ? action
      : expect.objectContaining(action),
  );
  expect(actual).toEqual(wanted);
}

describeShared('rulesets', () => {
  interface Case {
    readonly rule_set: Partial<PushRuleset>;
    readonly event: JsonObject;
    readonly context: Context;
    readonly actions?: readonly PushAction[];
    readonly rule_id?: string | null;
    readonly rule_set_user?: UserId;
  }
  test.each(file<Case>('custom-ruleset-actions').cases)(
    'custom: $rule_set $event',
    ({ rule_set: rules, event, context, actions }) => {
      expectActions(evaluate(rules, event, context).actions, actions ?? []);
    },
  );
  test.each(file<Case>('default-ruleset-actions').cases)('default: $event', (given) => {
    const outcome = evaluate(
      defaultPushRules(given.rule_set_user ?? given.context.user_id),
      given.event,
      given.context,
    );
    if (given.actions !== undefined) expectActions(outcome.actions, given.actions);
    if (given.rule_id !== undefined) expect(outcome.ruleId).toBe(given.rule_id);
  });
  const legacy = file<Case>('legacy-mentions');
  test.each(legacy.cases)('mentions in the body: $event', ({ event, context, rule_id: ruleId }) => {
    const rules = legacy['rule_set'] as JsonObject & Partial<PushRuleset>;
    expect(evaluate(rules, event, context).ruleId).toBe(ruleId ?? undefined);
  });
});

describeShared('tweaks', () => {
  interface Case {
    readonly actions: readonly PushAction[];
    readonly tweaks: JsonObject;
  }
  test.each(file<Case>('tweaks').cases)('$actions', ({ actions, tweaks }) => {
    expect({ ...tweaksOf(actions) }).toEqual(tweaks);
  });
});

describe('what no fixture says', () => {
  const context = { ...lonely, user_id: '@alice:example.org' as UserId, display_name: 'Alice' };
  test('historical actions mean nothing', () => {
    const rule = { rule_id: 'a', default: false, enabled: true, actions: ['dont_notify', 'coalesce'] };
    expect(
      evaluate({ sender: [{ ...rule, rule_id: '@bob:example.org' }] }, { sender: '@bob:example.org' }, context),
    ).toEqual({
      ruleId: '@bob:example.org',
      notify: false,
      highlight: false,
      actions: [],
      tweaks: {},
    });
  });
  test('a highlight of false, or without notify, is none', () => {
    const rule = { rule_id: 'a', default: false, enabled: true, conditions: [] };
    const lit = { set_tweak: 'highlight' };
    expect(evaluate({ override: [{ ...rule, actions: ['notify', lit] }] }, {}, context).highlight).toBe(true);
    expect(
      evaluate({ override: [{ ...rule, actions: ['notify', { ...lit, value: false }] }] }, {}, context).highlight,
    ).toBe(false);
    expect(evaluate({ override: [{ ...rule, actions: [lit] }] }, {}, context).highlight).toBe(false);
  });
  test.each([
    { kind: 'no_such_condition' },
    { kind: 'event_match', key: 'type' },
    { kind: 'event_match', pattern: '*' },
    { kind: 'event_property_is', key: 'type', value: ['m.room.message'] },
    { kind: 'event_property_is', key: 'type' },
    { kind: 'room_member_count', is: '~2' },
    { kind: 'room_member_count', is: '' },
    { kind: 'room_member_count' },
    { kind: 'sender_notification_permission' },
  ])('%s holds for no event', (condition) => {
    expect(conditionHolds(condition, { type: 'm.room.message' }, context)).toBe(false);
  });
  test('levels for notifications: 50 unless the room says otherwise', () => {
    expect(senderMayNotify('room', 50, undefined)).toBe(true);
    expect(senderMayNotify('room', 49, {})).toBe(false);
    expect(senderMayNotify('room', 49, { notifications: { room: 49 } })).toBe(true);
    expect(senderMayNotify('room', 49, { notifications: { room: ' 49 ' } })).toBe(true);
    expect(senderMayNotify('toString', 49, { notifications: {} })).toBe(false);
    expect(senderMayNotify('room', Infinity, { notifications: { room: 100 } })).toBe(true);
  });
});
