import type { UserId } from '../ids/ids.ts';
import { localpartOf } from '../ids/user-id.ts';
import type { PushAction, PushCondition, PushRule, PushRuleset } from './push-rule.ts';

/**
 * Stands for whoever a ruleset is evaluated for. `defaultPushRules(anyone)` has no user's name in it, so its compiled form
 * serves everybody. Neither part is possible in a real id.
 */
export const anyone = '@\0:\0' as UserId;

export interface DefaultPushRulesOptions {
  /**
   * Adds the three rules that looked for mentions in the body until version 1.17 of the specification. Clients and bots
   * that do not send m.mentions need them to highlight anything; events with m.mentions are not affected.
   */
  readonly legacyMentions?: boolean;
}

/**
 * The rules that every user has, in the specification's order.
 * https://spec.matrix.org/v1.19/client-server-api/#predefined-rules
 */
export function defaultPushRules(
  userId: UserId,
  { legacyMentions = false }: DefaultPushRulesOptions = {},
): PushRuleset {
  return {
    override: overrideRules(userId, legacyMentions),
    content: legacyMentions ? [containsUserName(userId)] : [],
    postcontent: threadRules,
    room: [],
    sender: [],
    underride: underrideRules,
  };
}

/** The kind of condition that asks whether the recipient follows the event's thread. */
export const threadSubscription = 'io.element.msc4306.thread_subscription';

export const masterRuleId = '.m.rule.master';
/** These do not apply to events with m.mentions. https://spec.matrix.org/v1.16/client-server-api/#default-override-rules */
export const legacyMentionRuleIds: ReadonlySet<string> = new Set([
  '.m.rule.contains_display_name',
  '.m.rule.contains_user_name',
  '.m.rule.roomnotif',
]);

const sound = (value: string): PushAction => ({ set_tweak: 'sound', value });
const highlight: PushAction = { set_tweak: 'highlight' };
const match = (key: string, pattern: string): PushCondition => ({ kind: 'event_match', key, pattern });
const is = (key: string, value: string | boolean): PushCondition => ({ kind: 'event_property_is', key, value });
const twoMembers: PushCondition = { kind: 'room_member_count', is: '2' };
const mayNotifyRoom: PushCondition = { kind: 'sender_notification_permission', key: 'room' };

function rule(
  name: string,
  conditions: readonly PushCondition[],
  actions: readonly PushAction[],
  enabled = true,
): PushRule {
  return { rule_id: `.m.rule.${name}`, default: true, enabled, conditions, actions };
}

/**
 * Polls have no names of their own in the specification yet.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/3930
 */
function pollRule(name: string, conditions: readonly PushCondition[], actions: readonly PushAction[]): PushRule {
  return { ...rule(name, conditions, actions), rule_id: `.org.matrix.msc3930.rule.${name}` };
}
function pollEvent(name: string): PushCondition {
  return match('type', `org.matrix.msc3381.poll.${name}`);
}

/**
 * Off until a user wants them: whose client does not follow threads by itself would hear nothing of threads any more.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/4306
 */
const threadRules: readonly PushRule[] = [
  threadRule('unsubscribed_thread', false, []),
  threadRule('subscribed_thread', true, ['notify', sound('default')]),
];
function threadRule(name: string, subscribed: boolean, actions: readonly PushAction[]): PushRule {
  const condition: PushCondition = { kind: threadSubscription, subscribed };
  return { ...rule(name, [condition], actions, false), rule_id: `.io.element.msc4306.rule.${name}` };
}

function overrideRules(userId: UserId, legacyMentions: boolean): readonly PushRule[] {
  const mentionsUser: PushCondition = {
    kind: 'event_property_contains',
    key: 'content.m\\.mentions.user_ids',
    value: userId,
  };
  return [
    rule('master', [], [], false),
    rule('suppress_notices', [match('content.msgtype', 'm.notice')], []),
    rule(
      'invite_for_me',
      [match('type', 'm.room.member'), match('content.membership', 'invite'), match('state_key', userId)],
      ['notify', sound('default')],
    ),
    rule('member_event', [match('type', 'm.room.member')], []),
    rule('is_user_mention', [mentionsUser], ['notify', sound('default'), highlight]),
    ...(legacyMentions ? [containsDisplayName] : []),
    rule('is_room_mention', [is('content.m\\.mentions.room', true), mayNotifyRoom], ['notify', highlight]),
    ...(legacyMentions ? [roomNotification] : []),
    rule('tombstone', [match('type', 'm.room.tombstone'), match('state_key', '')], ['notify', highlight]),
    rule('reaction', [match('type', 'm.reaction')], []),
    rule('room.server_acl', [match('type', 'm.room.server_acl'), match('state_key', '')], []),
    pollRule('poll_response', [pollEvent('response')], []),
    rule('suppress_edits', [is('content.m\\.relates_to.rel_type', 'm.replace')], []),
  ];
}

const underrideRules: readonly PushRule[] = [
  rule('call', [match('type', 'm.call.invite')], ['notify', sound('ring')]),
  rule('encrypted_room_one_to_one', [twoMembers, match('type', 'm.room.encrypted')], ['notify', sound('default')]),
  rule('room_one_to_one', [twoMembers, match('type', 'm.room.message')], ['notify', sound('default')]),
  rule('message', [match('type', 'm.room.message')], ['notify']),
  rule('encrypted', [match('type', 'm.room.encrypted')], ['notify']),
  ...['start', 'end'].flatMap((name) => [
    pollRule(`poll_${name}_one_to_one`, [twoMembers, pollEvent(name)], ['notify', sound('default')]),
    pollRule(`poll_${name}`, [pollEvent(name)], ['notify']),
  ]),
];

const containsDisplayName = rule(
  'contains_display_name',
  [{ kind: 'contains_display_name' }],
  ['notify', sound('default'), highlight],
);
const roomNotification = rule('roomnotif', [match('content.body', '@room'), mayNotifyRoom], ['notify', highlight]);

function containsUserName(userId: UserId): PushRule {
  return {
    rule_id: '.m.rule.contains_user_name',
    default: true,
    enabled: true,
    pattern: localpartOf(userId),
    actions: ['notify', sound('default'), highlight],
  };
}
