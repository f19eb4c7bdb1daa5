/** Invites that are taken back. Of a room that nobody of ours is in nothing else is believed. */
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import type { EventId, UserId } from '../../matrix/ids/ids.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { type RoomsContext, serverOf } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { standingOf, writeForeignMembership } from '../../rooms/foreign-memberships.ts';
import { membershipIn } from '../../rooms/membership.ts';
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
    const userId = formerGuest(rooms, event);
    if (userId === undefined) continue;
    await rooms.locks.run(roomId, async () => {
      const dag = await rooms.dags.open(roomId);
      const standing = await standingOf(rooms, dag, userId);
      if (standing?.membership !== 'invite' || standing.foreign?.event.sender !== event.sender) return;
      const server = serverOf(event.sender);
      await writeForeignMembership(rooms, dag, { userId, membership: 'leave', event, body, server, stripped: [] });
      withdrawn.add(event.eventId);
    });
  }
  return withdrawn;
}

/** A local user whom somebody else says to be out of the room. */
function formerGuest(rooms: RoomsContext, event: RoomEvent): UserId | undefined {
  const { stateKey } = event;
  if (event.type !== 'm.room.member' || membershipIn(event) !== 'leave' || !isUserId(stateKey)) return undefined;
  return rooms.localServers.isLocal(serverOf(stateKey)) && event.sender !== stateKey ? stateKey : undefined;
}
