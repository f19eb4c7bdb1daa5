/** Invites that are taken back, and bans of the invited. Of a room that nobody of ours is in nothing else is believed. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId, UserId } from '../../matrix/ids/ids.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { type RoomsContext, serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { standingOf, writeForeignMembership } from '../../rooms/foreign-memberships.ts';
import { memberOf, membershipIn } from '../../rooms/membership.ts';
import type { CheckedEvent } from '../../rooms/receive-event.ts';

/**
 * Who invited a user of ours may take the invite back, and nobody else: whether others may cannot be told without the room's
 * state. Gives the events that did so, which are on disk then. To be called without the room's lock.
 */
export async function withdrawInvites(
  rooms: RoomsContext,
  { roomId }: RoomDag,
  events: readonly CheckedEvent[],
): Promise<ReadonlySet<EventId>> {
  const withdrawn = new Set<EventId>();
  for (const { event, body } of events) {
    const formerly = formerGuest(rooms, event);
    if (formerly === undefined) continue;
    const { userId, membership } = formerly;
    await rooms.locks.run(roomId, async () => {
      const dag = await rooms.dags.open(roomId);
      const standing = await standingOf(rooms, dag, userId);
      if (standing?.membership !== 'invite') return;
      const invite = standing.foreign?.event ?? (await memberOf(dag, userId));
      if (invite?.sender !== event.sender) return;
      const server = serverOf(event.sender);
      await writeForeignMembership(rooms, dag, { userId, membership, event, body, server, stripped: [] });
      withdrawn.add(event.eventId);
    });
  }
  return withdrawn;
}

/** A local user whom somebody else says to be out of the room. */
function formerGuest(
  rooms: RoomsContext,
  event: RoomEvent,
): { readonly userId: UserId; readonly membership: 'leave' | 'ban' } | undefined {
  const { stateKey: userId } = event;
  const membership = membershipIn(event);
  if (event.type !== 'm.room.member' || !isUserId(userId) || event.sender === userId) return undefined;
  if (membership !== 'leave' && membership !== 'ban') return undefined;
  return rooms.localServers.isLocal(serverOf(userId)) ? { userId, membership } : undefined;
}
