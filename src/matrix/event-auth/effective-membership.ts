import type { StateLookup } from '../events/room-event.ts';

/**
 * A user's membership by the state: that of the `m.room.member` event, and `leave` where there is none or it says nothing.
 * https://spec.matrix.org/v1.19/client-server-api/#mroommember
 */
export function effectiveMembership(userId: string, state: StateLookup): string {
  const membership = state('m.room.member', userId)?.content['membership'];
  return typeof membership === 'string' ? membership : 'leave';
}
