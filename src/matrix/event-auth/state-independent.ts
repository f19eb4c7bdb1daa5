import { checkTextBytes } from '../events/check-pdu-format.ts';
import type { AuthResult, RoomEvent } from '../events/room-event.ts';
import { createEventIdOfRoom } from '../ids/room-id.ts';
import { isUserId, serverNameOf } from '../ids/user-id.ts';
import { isJsonObject } from '../json/json-value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { allowed, refused } from './auth-rule.ts';
import { authTypesForEvent } from './auth-types.ts';
import { checkCreate } from './create.ts';

/** An event as another one cites it. */
export interface CitedEvent {
  readonly event: RoomEvent;
  readonly rejected: boolean;
}

/**
 * The authorisation rules that ask nothing of the room's state: those on `m.room.create`, on the event's auth events, and
 * the presence of the signature of a restricted join's authorising server (that it is valid is a matter of the signature
 * checks). An event passes the rules when it passes these once and checkStateDependentAuthRules for each state.
 *
 * `authEvents`: every event that auth_events names, in that order; fetch missing ones first.
 * `create`: the create event that the room id names, if it is known; only asked for when the room id is its id.
 * Fields that are too large in bytes, though not in code points, make it rejected in room versions that did not drop it.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export function checkStateIndependentAuthRules(
  event: RoomEvent,
  authEvents: readonly CitedEvent[],
  rules: RoomVersionRules,
  create?: CitedEvent,
): AuthResult {
  const size = checkTextBytes(event.pdu);
  if (!size.ok) return { ok: false, rule: 'size', reason: size.reason };
  if (event.type === 'm.room.create') return checkCreate(event, rules);
  if (rules.eventAuth.createEventIsRoomId) {
    const result = checkRoomId(event, create, rules);
    if (!result.ok) return result;
  }
  const result = checkAuthEvents(event, authEvents, rules);
  return result.ok && event.type === 'm.room.member' ? checkAuthorisingServer(event, rules) : result;
}

/** The room id is the id of an accepted create event. */
function checkRoomId(event: RoomEvent, create: CitedEvent | undefined, rules: RoomVersionRules): AuthResult {
  if (create?.event.type !== 'm.room.create' || create.event.eventId !== createEventIdOfRoom(event.roomId)) {
    return refused('room_id', 'The create event that the room id names is not known', rules);
  }
  return create.rejected ? refused('room_id', "The room's create event was rejected", rules) : allowed;
}

function checkAuthEvents(event: RoomEvent, authEvents: readonly CitedEvent[], rules: RoomVersionRules): AuthResult {
  const expected = authTypesForEvent(event, rules);
  const isDuplicate = ({ event: { type, stateKey } }: CitedEvent, index: number): boolean =>
    authEvents.slice(0, index).some(({ event: other }) => other.type === type && other.stateKey === stateKey);
  if (authEvents.some(isDuplicate)) {
    return refused('auth_events/duplicate', 'Two auth events have one type and state_key', rules);
  }
  const isExpected = ({ event: { type, stateKey } }: CitedEvent): boolean =>
    expected.some(([expectedType, key]) => expectedType === type && key === stateKey);
  if (!authEvents.every(isExpected)) {
    return refused('auth_events/unexpected', 'An auth event is not of the selection', rules);
  }
  if (authEvents.some((cited) => cited.rejected)) {
    return refused('auth_events/rejected', 'An auth event was rejected', rules);
  }
  if (rules.eventFormat.createInAuthEvents && !authEvents.some((cited) => cited.event.type === 'm.room.create')) {
    return refused('auth_events/no create', 'The create event is not among the auth events', rules);
  }
  if (authEvents.some((cited) => cited.event.roomId !== event.roomId)) {
    return refused('auth_events/other room', 'An auth event is of another room', rules);
  }
  return allowed;
}

/** The server of join_authorised_via_users_server signed the event. https://spec.matrix.org/v1.19/rooms/v8/#authorisation-rules */
function checkAuthorisingServer(event: RoomEvent, rules: RoomVersionRules): AuthResult {
  const { join_authorised_via_users_server: via } = event.content;
  if (!rules.eventAuth.restricted || via === undefined) return allowed;
  const { signatures } = event.pdu;
  if (isUserId(via) && isJsonObject(signatures)) {
    const server = serverNameOf(via);
    const ofServer = Object.hasOwn(signatures, server) ? signatures[server] : undefined;
    if (isJsonObject(ofServer) && Object.keys(ofServer).length > 0) return allowed;
  }
  return refused('member/authorising server', 'The server of the authorising user did not sign the event', rules);
}
