/**
 * The names of the authorisation rules and their numbers. The pages of the room versions number the same rules
 * differently, so the code names a rule and this file says where the page has it.
 * https://spec.matrix.org/v1.19/rooms/
 */
import type { AuthResult } from '../events/room-event.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

export const allowed: AuthResult = Object.freeze({ ok: true });

/** The refusal of an event by a rule, with the rule's number on the page of the room version. */
export function refused(rule: AuthRule, reason: string, rules: RoomVersionRules): AuthResult {
  return { ok: false, rule: ruleNumber(rule, rules), reason };
}

/** The rule's number, such as "4.3.1", as the room version's page shows it. Throws when the version has no such rule. */
export function ruleNumber(rule: AuthRule, rules: RoomVersionRules): string {
  let numbers = numbersOf.get(rules);
  if (numbers === undefined) {
    numbers = new Map();
    numberRules(page(rules), '', numbers);
    numbersOf.set(rules, numbers);
  }
  const number = numbers.get(rule);
  if (number === undefined) throw new Error(`Room version ${rules.version} has no authorisation rule ${rule}`);
  return number;
}

const numbersOf = new WeakMap<RoomVersionRules, Map<AuthRule, string>>();

export type AuthRule =
  | 'create/prev_events'
  | 'create/room_id'
  | 'create/room_version'
  | 'create/creator'
  | 'create/additional_creators'
  | 'room_id'
  | 'auth_events/duplicate'
  | 'auth_events/unexpected'
  | 'auth_events/rejected'
  | 'auth_events/no create'
  | 'auth_events/other room'
  | 'federate'
  | 'aliases/no state_key'
  | 'aliases/state_key'
  | 'member/incomplete'
  | 'member/authorising server'
  | 'join/sender'
  | 'join/banned'
  | 'join/authorising user'
  | 'join/otherwise'
  | 'third-party invite/banned'
  | 'third-party invite/signed'
  | 'third-party invite/mxid and token'
  | 'third-party invite/mxid'
  | 'third-party invite/no event'
  | 'third-party invite/sender'
  | 'third-party invite/otherwise'
  | 'invite/sender not joined'
  | 'invite/target'
  | 'invite/otherwise'
  | 'leave/self'
  | 'leave/sender not joined'
  | 'leave/unban'
  | 'leave/otherwise'
  | 'ban/sender not joined'
  | 'ban/otherwise'
  | 'knock/join_rule'
  | 'knock/sender'
  | 'knock/otherwise'
  | 'member/unknown'
  | 'sender not joined'
  | 'm.room.third_party_invite'
  | 'required power level'
  | 'state_key of another user'
  | 'power_levels/not integers'
  | 'power_levels/events not integers'
  | 'power_levels/users not integers'
  | 'power_levels/creators'
  | 'power_levels/current value'
  | 'power_levels/new value'
  | 'power_levels/current events'
  | 'power_levels/new events'
  | 'power_levels/current users'
  | 'power_levels/new users'
  | 'redaction/otherwise';

/** A rule, a list of rules under a heading, or a rule that can only allow. */
type PageItem = AuthRule | typeof allows | readonly PageItem[];
const allows = 'allow';

/** Rules are numbered by their place in the list, so `allows` keeps the places of those that never refuse. */
function page({ eventAuth: has, eventFormat }: RoomVersionRules): readonly PageItem[] {
  return [
    [
      'create/prev_events',
      'create/room_id',
      'create/room_version',
      ...when(has.creatorFrom === 'content', 'create/creator'),
      ...when(has.additionalCreators, 'create/additional_creators'),
      allows,
    ],
    ...when(has.createEventIsRoomId, 'room_id'),
    [
      'auth_events/duplicate',
      'auth_events/unexpected',
      'auth_events/rejected',
      ...when(eventFormat.createInAuthEvents, 'auth_events/no create'),
      'auth_events/other room',
    ],
    'federate',
    ...when(has.specialCaseAliases, ['aliases/no state_key', 'aliases/state_key', allows]),
    memberRules(has),
    'sender not joined',
    ['m.room.third_party_invite'],
    'required power level',
    'state_key of another user',
    powerLevelsRules(has),
    ...when(has.specialCaseRedaction, [allows, allows, 'redaction/otherwise']),
    allows,
  ];
}

function memberRules(has: RoomVersionRules['eventAuth']): readonly PageItem[] {
  return [
    'member/incomplete',
    ...when(has.restricted, ['member/authorising server']),
    [
      allows,
      'join/sender',
      'join/banned',
      allows,
      ...when(has.restricted, [allows, 'join/authorising user', allows]),
      allows,
      'join/otherwise',
    ],
    [
      [
        'third-party invite/banned',
        'third-party invite/signed',
        'third-party invite/mxid and token',
        'third-party invite/mxid',
        'third-party invite/no event',
        'third-party invite/sender',
        allows,
        'third-party invite/otherwise',
      ],
      'invite/sender not joined',
      'invite/target',
      allows,
      'invite/otherwise',
    ],
    ['leave/self', 'leave/sender not joined', 'leave/unban', allows, 'leave/otherwise'],
    ['ban/sender not joined', allows, 'ban/otherwise'],
    ...when(has.knock, ['knock/join_rule', 'knock/sender', allows, 'knock/otherwise']),
    'member/unknown',
  ];
}

function powerLevelsRules(has: RoomVersionRules['eventAuth']): readonly PageItem[] {
  const integers = has.powerLevelValues === 'integer';
  return [
    ...when(integers, 'power_levels/not integers'),
    ...when(integers, 'power_levels/events not integers'),
    'power_levels/users not integers',
    ...when(has.privilegedCreators, 'power_levels/creators'),
    allows,
    ['power_levels/current value', 'power_levels/new value'],
    ['power_levels/current events'],
    ['power_levels/new events'],
    ['power_levels/current users'],
    ['power_levels/new users'],
    allows,
  ];
}

function when(condition: boolean, item: PageItem): readonly PageItem[] {
  return condition ? [item] : [];
}

function numberRules(items: readonly PageItem[], prefix: string, into: Map<AuthRule, string>): void {
  for (const [index, item] of items.entries()) {
    const number = `${prefix}${index + 1}`;
    if (typeof item !== 'string') numberRules(item, `${number}.`, into);
    else if (item !== allows) into.set(item, number);
  }
}
