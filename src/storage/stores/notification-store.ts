/** Where a user may have notifications: nothing is stored for them (docs/decisions: push). */
import { bigint, defineRead } from '../query.ts';

export interface NotifyingRoom {
  readonly room: number;
  readonly membership: string;
  /** nid of their membership event */
  readonly event: number;
  /** since when the membership is what it is */
  readonly pos: number;
  /** The place of its last event before an order value; null: there is none. */
  readonly newest: number | null;
}

/** Rooms that a user is in or invited to, with the newest event before a place in the order of all events. */
export const notifyingRooms = defineRead<{ user: number; before: number }, NotifyingRoom>(
  'notification.rooms',
  (q, p) =>
    q
      .selectFrom('user_room as u')
      .select((e) => [
        'u.room',
        'u.membership',
        'u.event',
        'u.pos',
        e
          .selectFrom('event as v')
          .select('v.ord')
          .whereRef('v.room', '=', 'u.room')
          .where('v.ord', '<', bigint(p.before))
          .orderBy('v.ord', 'desc')
          .limit(1)
          .as('newest'),
      ])
      .where('u.user_nid', '=', p.user)
      .where('u.membership', 'in', ['join', 'invite']),
);
