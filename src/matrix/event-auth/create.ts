import type { AuthResult, RoomEvent } from '../events/room-event.ts';
import { findServerNameOfRoomId } from '../ids/room-id.ts';
import { isUserId, serverNameOf } from '../ids/user-id.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { findRoomVersion } from '../room-versions/table.ts';
import { allowed, refused } from './auth-rule.ts';

/** Rule 1: whether an `m.room.create` event may begin a room. https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules */
export function checkCreate(event: RoomEvent, rules: RoomVersionRules): AuthResult {
  if (event.prevEvents.length > 0) return refused('create/prev_events', 'The create event has prev_events', rules);
  if (rules.eventFormat.createWithoutRoomId) {
    if (event.pdu['room_id'] !== undefined) return refused('create/room_id', 'The create event has a room_id', rules);
  } else if (findServerNameOfRoomId(event.roomId) !== serverNameOf(event.sender)) {
    return refused('create/room_id', "The room id is not of the sender's server", rules);
  }
  const { room_version: version, creator, additional_creators: additional } = event.content;
  if (version !== undefined && (typeof version !== 'string' || findRoomVersion(version) === undefined)) {
    return refused('create/room_version', 'The room version is not known here', rules);
  }
  if (rules.eventAuth.creatorFrom === 'content' && creator === undefined) {
    return refused('create/creator', 'The create event has no creator', rules);
  }
  if (rules.eventAuth.additionalCreators && additional !== undefined) {
    if (!Array.isArray(additional) || !additional.every(isUserId)) {
      return refused('create/additional_creators', 'additional_creators is not a list of user ids', rules);
    }
  }
  return allowed;
}
