/** Guests in rooms: accounts that nobody vouches for. https://spec.matrix.org/v1.19/client-server-api/#guest-access */
import { guestAccessForbidden } from '../matrix/errors.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { Actor } from './context.ts';
import type { RoomDag, StateChange } from './dag/contract.ts';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** The room may be closed to guests by now. */
    'guest-access': { readonly room: number };
  }
}

const guestAccess = 'm.room.guest_access';

/** To be called with the room's lock held, before the actor joins. Throws 403 M_GUEST_ACCESS_FORBIDDEN. */
export async function assertGuestsEnter(dag: RoomDag, { isGuest }: Pick<Actor, 'isGuest'>): Promise<void> {
  if (isGuest === true && !(await letsGuestsIn(dag))) throw guestAccessForbidden('This room does not let guests in');
}

/**
 * Whether a room may be closed to guests by the changes of its state, or by the end of an event's content. Where nothing was
 * said of guests before, such as in a new room, there are none.
 */
export function mayCloseToGuests(changes: readonly StateChange[], redacted: RoomEvent | undefined): boolean {
  return (
    redacted?.type === guestAccess ||
    changes.some(({ type, stateKey, previousNid }) => type === guestAccess && stateKey === '' && previousNid !== null)
  );
}

/** Whether the room's current state does. */
export async function letsGuestsIn(dag: RoomDag): Promise<boolean> {
  return (await dag.currentEvent(guestAccess, ''))?.content['guest_access'] === 'can_join';
}
