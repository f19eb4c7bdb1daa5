import type { AuthResult, RoomEvent, StateLookup } from '../events/room-event.ts';
import { serverNameOf } from '../ids/user-id.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { allowed, refused } from './auth-rule.ts';
import { creatorsOf } from './creators.ts';
import { effectiveMembership } from './effective-membership.ts';
import { checkMembership } from './membership.ts';
import { authorisePowerLevelsContent } from './power-levels-content.ts';
import { ownerOfState } from './owned-state.ts';
import { namedPowerLevel, powerLevelOf, requiredPowerLevelFor } from './power-levels.ts';
import { checkRedaction } from './redaction.ts';

/**
 * The authorisation rules that depend on a state of the room. `state` must know the keys that stateForAuthRules names,
 * the create event among them in every room version.
 * https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function checkStateDependentAuthRules(
  event: RoomEvent,
  state: StateLookup,
  rules: RoomVersionRules,
): AuthResult {
  if (event.type === 'm.room.create') return allowed;
  const create = state('m.room.create', '');
  if (create === undefined) {
    const rule = rules.eventAuth.createEventIsRoomId ? 'room_id' : 'auth_events/no create';
    return refused(rule, 'The state has no create event', rules);
  }
  if (create.content['m.federate'] === false && serverNameOf(event.sender) !== serverNameOf(create.sender)) {
    return refused('federate', 'The room is closed to other servers', rules);
  }
  if (event.type === 'm.room.aliases' && rules.eventAuth.specialCaseAliases) return checkAliases(event, rules);
  if (event.type === 'm.room.member') return checkMembership(event, create, state, rules);
  if (effectiveMembership(event.sender, state) !== 'join') {
    return refused('sender not joined', 'The sender is not in the room', rules);
  }
  return checkPower(event, create, state, rules);
}

/** The rules from *required power level* on, for a joined sender. */
function checkPower(event: RoomEvent, create: RoomEvent, state: StateLookup, rules: RoomVersionRules): AuthResult {
  const powerLevels = state('m.room.power_levels', '');
  const senderLevel = powerLevelOf(event.sender, create, powerLevels, rules);
  if (event.type === 'm.room.third_party_invite') {
    if (senderLevel >= namedPowerLevel('invite', powerLevels, rules)) return allowed;
    return refused('m.room.third_party_invite', "The sender's power level is too low to invite", rules);
  }
  const { stateKey } = event;
  if (requiredPowerLevelFor(event.type, stateKey !== undefined, powerLevels, rules) > senderLevel) {
    return refused('required power level', `The sender's power level is too low for ${event.type}`, rules);
  }
  if (stateKey !== undefined && stateKey.startsWith('@') && stateKey !== event.sender) {
    const owner = rules.eventAuth.ownedState ? ownerOfState(stateKey) : undefined;
    const isOwn = owner === event.sender;
    if (!isOwn && (owner === undefined || senderLevel <= powerLevelOf(owner, create, powerLevels, rules)))
      return refused('state_key of another user', "The state_key is another user's id", rules);
  }
  if (event.type === 'm.room.power_levels') {
    const { content, sender } = event;
    const creators = creatorsOf(create, rules);
    return authorisePowerLevelsContent({ content, current: powerLevels, sender, senderLevel, creators }, rules);
  }
  if (event.type === 'm.room.redaction' && rules.eventAuth.specialCaseRedaction) {
    return checkRedaction(event, create, state, rules);
  }
  return allowed;
}

/** Rule 4 of room versions 1 to 5. https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules */
function checkAliases(event: RoomEvent, rules: RoomVersionRules): AuthResult {
  if (event.stateKey === undefined) return refused('aliases/no state_key', 'The event has no state_key', rules);
  if (event.stateKey === serverNameOf(event.sender)) return allowed;
  return refused('aliases/state_key', "The state_key is not the sender's server", rules);
}
