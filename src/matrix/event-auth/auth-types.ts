import type { RoomEvent, StateTuple } from '../events/room-event.ts';
import { isJsonObject } from '../json/json-value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

/** The part of an event that decides which auth events it needs: an event that is still to be built has it too. */
export type AuthSubject = Pick<RoomEvent, 'type' | 'stateKey' | 'sender' | 'content'>;

/**
 * The keys of the room state whose events an event names as its auth events, each once.
 * https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 */
export function authTypesForEvent(event: AuthSubject, rules: RoomVersionRules): StateTuple[] {
  if (event.type === 'm.room.create') return [];
  const tuples: StateTuple[] = rules.eventFormat.createInAuthEvents ? [createTuple] : [];
  tuples.push(powerLevelsTuple, ['m.room.member', event.sender]);
  if (event.type === 'm.room.member') addMemberTuples(event, rules, tuples);
  return tuples;
}

/**
 * The keys of the room state that the authorisation rules read for an event: its auth types and the create event, which
 * some room versions leave out of the auth events. A state lookup that answers these is enough.
 */
export function stateForAuthRules(event: AuthSubject, rules: RoomVersionRules): StateTuple[] {
  const tuples = authTypesForEvent(event, rules);
  if (event.type !== 'm.room.create' && !rules.eventFormat.createInAuthEvents) tuples.unshift(createTuple);
  return tuples;
}

const createTuple: StateTuple = ['m.room.create', ''];
const powerLevelsTuple: StateTuple = ['m.room.power_levels', ''];
const joinRulesTuple: StateTuple = ['m.room.join_rules', ''];

function addMemberTuples(event: AuthSubject, rules: RoomVersionRules, tuples: StateTuple[]): void {
  const { membership, third_party_invite: thirdPartyInvite, join_authorised_via_users_server: via } = event.content;
  addMember(event.stateKey);
  if (membership === 'join' || membership === 'invite' || membership === 'knock') tuples.push(joinRulesTuple);
  if (membership === 'invite' && isJsonObject(thirdPartyInvite) && isJsonObject(thirdPartyInvite['signed'])) {
    const { token } = thirdPartyInvite['signed'];
    if (typeof token === 'string') tuples.push(['m.room.third_party_invite', token]);
  }
  if (membership === 'join' && rules.eventAuth.restricted && typeof via === 'string') addMember(via);

  function addMember(userId: string | undefined): void {
    if (userId === undefined) return;
    if (!tuples.some(([type, key]) => type === 'm.room.member' && key === userId))
      tuples.push(['m.room.member', userId]);
  }
}
