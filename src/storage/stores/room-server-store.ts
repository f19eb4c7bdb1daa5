/** Which servers are in a room: `room_server`. */
import { bigint, defineRead } from '../query.ts';

/** A row if one of the servers has a joined user in the room. */
export const serverJoinedIn = defineRead<{ room: number; servers: readonly number[] }, { joined: number }>(
  'roomServer.joinedIn',
  (q, p) =>
    q
      .selectFrom('room_server')
      .select('joined')
      .where('room', '=', p.room)
      .where('server_nid', 'in', p.list('servers'))
      .where('joined', '>', 0)
      .limit(1),
);

/** Users of a server who have or had a membership in a room, the joined ones first: O(members). */
export const usersOfServerInRoom = defineRead<{ room: number; server: number; limit: number }, { user_nid: number }>(
  'roomServer.usersOf',
  (q, p) =>
    q
      .selectFrom('member_room as m')
      .innerJoin('user_name as u', 'u.user_nid', 'm.user_nid')
      .select('m.user_nid')
      .where('m.room', '=', p.room)
      .where('u.server_nid', '=', p.server)
      .orderBy((e) => e.case().when('m.membership', '=', 'join').then(0).else(1).end())
      .orderBy('m.user_nid')
      .limit(bigint(p.limit)),
);
