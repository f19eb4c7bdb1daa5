/** The rooms of users of any server: `member_room`. */
import { bigint, defineRead } from '../query.ts';

export const joinedRoomsOf = defineRead<{ user: number; limit: number }, { room: number }>(
  'memberRoom.joinedOf',
  (q, p) =>
    q
      .selectFrom('member_room')
      .select('room')
      .where('user_nid', '=', p.user)
      .where('membership', '=', 'join')
      .orderBy('room')
      .limit(bigint(p.limit)),
);
