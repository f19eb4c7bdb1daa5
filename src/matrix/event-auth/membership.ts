/** The rules of `m.room.member`, one function for each membership. https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules */
import type { AuthResult, RoomEvent, StateLookup } from '../events/room-event.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { allowed, refused } from './auth-rule.ts';
import { effectiveMembership } from './effective-membership.ts';
import { namedPowerLevel, powerLevelOf } from './power-levels.ts';
import { checkThirdPartyInvite } from './third-party-invite.ts';

/**
 * Whether the membership event may change the membership of its state_key. The signature that
 * join_authorised_via_users_server asks for is no matter of state: see checkStateIndependentAuthRules.
 */
export function checkMembership(
  event: RoomEvent,
  create: RoomEvent,
  state: StateLookup,
  rules: RoomVersionRules,
): AuthResult {
  const { membership } = event.content;
  if (event.stateKey === undefined || typeof membership !== 'string') {
    return refused('member/incomplete', 'A membership event needs a state_key and a membership', rules);
  }
  const change: Change = { event, target: event.stateKey, create, state, rules };
  switch (membership) {
    case 'join':
      return checkJoin(change);
    case 'invite':
      return checkInvite(change);
    case 'leave':
      return checkLeave(change);
    case 'ban':
      return checkBan(change);
    case 'knock':
      if (rules.eventAuth.knock) return checkKnock(change);
      break;
    default:
  }
  return refused('member/unknown', 'The membership is unknown', rules);
}

interface Change {
  readonly event: RoomEvent;
  /** The user whose membership changes. */
  readonly target: string;
  readonly create: RoomEvent;
  readonly state: StateLookup;
  readonly rules: RoomVersionRules;
}

function checkJoin(change: Change): AuthResult {
  const { event, target, create, state, rules } = change;
  if (event.prevEvents.length === 1 && event.prevEvents[0] === create.eventId && target === firstMember(change)) {
    return allowed;
  }
  if (event.sender !== target) return refused('join/sender', 'Nobody can join for another user', rules);
  const current = effectiveMembership(target, state);
  if (current === 'ban') return refused('join/banned', 'The user is banned', rules);
  const joinRule = joinRuleOf(state);
  const has = rules.eventAuth;
  if (joinRule === 'public') return allowed;
  if (joinRule === 'invite' || (joinRule === 'knock' && has.knock)) {
    if (current === 'invite' || current === 'join') return allowed;
  } else if (
    (joinRule === 'restricted' && has.restricted) ||
    (joinRule === 'knock_restricted' && has.knockRestricted)
  ) {
    if (current === 'invite' || current === 'join') return allowed;
    return checkAuthorisingUser(change);
  }
  return refused('join/otherwise', 'The join rule does not let the user in', rules);
}

/** Who may join the room that has only just been created: nobody but its (first) creator. */
function firstMember({ create, rules }: Change): unknown {
  return rules.eventAuth.creatorFrom === 'content' ? create.content['creator'] : create.sender;
}

/** A restricted join names a member of the room who could have invited the user. */
function checkAuthorisingUser(change: Change): AuthResult {
  const { event, state, rules } = change;
  const { join_authorised_via_users_server: via } = event.content;
  if (typeof via !== 'string' || effectiveMembership(via, state) !== 'join') {
    return refused('join/authorising user', 'No joined member of the room authorises the join', rules);
  }
  if (levelOf(via, change) < requiredLevel('invite', change)) {
    return refused('join/authorising user', 'The user who authorises the join may not invite', rules);
  }
  return allowed;
}

function checkInvite(change: Change): AuthResult {
  const { event, target, state, rules } = change;
  if (event.content['third_party_invite'] !== undefined) return checkThirdPartyInvite(event, target, state, rules);
  if (effectiveMembership(event.sender, state) !== 'join') {
    return refused('invite/sender not joined', 'The sender is not in the room', rules);
  }
  const current = effectiveMembership(target, state);
  if (current === 'join' || current === 'ban') {
    return refused('invite/target', `The user cannot be invited: the membership is ${current}`, rules);
  }
  if (levelOf(event.sender, change) >= requiredLevel('invite', change)) return allowed;
  return refused('invite/otherwise', "The sender's power level is too low to invite", rules);
}

function checkLeave(change: Change): AuthResult {
  const { event, target, state, rules } = change;
  const current = effectiveMembership(target, state);
  if (event.sender === target) {
    if (current === 'invite' || current === 'join' || (current === 'knock' && rules.eventAuth.knock)) return allowed;
    return refused('leave/self', `There is nothing to leave: the membership is ${current}`, rules);
  }
  if (effectiveMembership(event.sender, state) !== 'join') {
    return refused('leave/sender not joined', 'The sender is not in the room', rules);
  }
  const senderLevel = levelOf(event.sender, change);
  if (current === 'ban' && senderLevel < requiredLevel('ban', change)) {
    return refused('leave/unban', "The sender's power level is too low to unban", rules);
  }
  if (senderLevel >= requiredLevel('kick', change) && levelOf(target, change) < senderLevel) return allowed;
  return refused('leave/otherwise', "The sender's power level is too low to kick the user", rules);
}

function checkBan(change: Change): AuthResult {
  const { event, target, state, rules } = change;
  if (effectiveMembership(event.sender, state) !== 'join') {
    return refused('ban/sender not joined', 'The sender is not in the room', rules);
  }
  const senderLevel = levelOf(event.sender, change);
  if (senderLevel >= requiredLevel('ban', change) && levelOf(target, change) < senderLevel) return allowed;
  return refused('ban/otherwise', "The sender's power level is too low to ban the user", rules);
}

function checkKnock(change: Change): AuthResult {
  const { event, target, state, rules } = change;
  const joinRule = joinRuleOf(state);
  if (joinRule !== 'knock' && !(joinRule === 'knock_restricted' && rules.eventAuth.knockRestricted)) {
    return refused('knock/join_rule', 'The join rule does not allow knocking', rules);
  }
  if (event.sender !== target) return refused('knock/sender', 'Nobody can knock for another user', rules);
  const current = effectiveMembership(target, state);
  if (current !== 'ban' && current !== 'invite' && current !== 'join') return allowed;
  return refused('knock/otherwise', `There is nothing to knock for: the membership is ${current}`, rules);
}

/** The room's join rule; without one the room is for invited users. */
function joinRuleOf(state: StateLookup): unknown {
  return state('m.room.join_rules', '')?.content['join_rule'] ?? 'invite';
}

function levelOf(userId: string, { create, state, rules }: Change): number {
  return powerLevelOf(userId, create, state('m.room.power_levels', ''), rules);
}

function requiredLevel(name: 'invite' | 'kick' | 'ban', { state, rules }: Change): number {
  return namedPowerLevel(name, state('m.room.power_levels', ''), rules);
}
