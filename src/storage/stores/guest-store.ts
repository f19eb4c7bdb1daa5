/** Accounts of guests, and the rooms that they are in. */
import { defineRead, defineWrite } from '../query.ts';

export interface GuestInRoom {
  readonly user_nid: number;
  readonly user_id: string;
}

export const guestsIn = defineRead<{ room: number }, GuestInRoom>('guest.in', (q, p) =>
  q
    .selectFrom('member_room')
    .innerJoin('account', 'account.user_nid', 'member_room.user_nid')
    .innerJoin('user_name', 'user_name.user_nid', 'account.user_nid')
    .select(['account.user_nid', 'user_name.user_id'])
    .where('member_room.room', '=', p.room)
    .where('member_room.membership', '=', 'join')
    .where('account.kind', '=', 'guest')
    .orderBy('account.user_nid'),
);

/** Looks at every account: for starts. */
export const roomsWithGuests = defineRead<Record<never, never>, { room: number }>('guest.rooms', (q) =>
  q
    .selectFrom('account')
    .innerJoin('member_room', 'member_room.user_nid', 'account.user_nid')
    .select('member_room.room')
    .distinct()
    .where('account.kind', '=', 'guest')
    .where('member_room.membership', '=', 'join')
    .orderBy('member_room.room'),
);

/** Makes a guest's account a user's. Run with `changes: 1`: no row changes when it is no guest's. */
export const upgradeGuest = defineWrite<{ user: number; passwordHash: string }>('guest.upgrade', (q, p) =>
  q
    .updateTable('account')
    .set({ kind: 'user', password_hash: p.passwordHash })
    .where('user_nid', '=', p.user)
    .where('kind', '=', 'guest')
    .where('deactivated_ts', 'is', null),
);
