import type { RoomEvent } from '../events/room-event.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

/**
 * The user ids of the room's creators: content.creator, the sender, or the sender and additional_creators, as the room
 * version has it. Empty only when a create event of room version 10 or earlier lacks a creator.
 * https://spec.matrix.org/v1.19/rooms/v12/#event-format
 */
export function creatorsOf(create: Pick<RoomEvent, 'sender' | 'content'>, rules: RoomVersionRules): readonly string[] {
  if (rules.eventAuth.creatorFrom === 'content') {
    const { creator } = create.content;
    return typeof creator === 'string' ? [creator] : [];
  }
  if (!rules.eventAuth.additionalCreators) return [create.sender];
  const { additional_creators: additional } = create.content;
  if (!Array.isArray(additional)) return [create.sender];
  return [create.sender, ...additional.filter((entry) => typeof entry === 'string')];
}

/** Whether the user is one of creatorsOf, without making the list. */
export function isCreator(
  userId: string,
  create: Pick<RoomEvent, 'sender' | 'content'>,
  rules: RoomVersionRules,
): boolean {
  if (rules.eventAuth.creatorFrom === 'content') return create.content['creator'] === userId;
  if (create.sender === userId) return true;
  if (!rules.eventAuth.additionalCreators) return false;
  const { additional_creators: additional } = create.content;
  return Array.isArray(additional) && additional.includes(userId);
}
