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

/** Of these rooms, those that one of the servers has a joined user in, or is said to have while the members are not known. */
export const roomsOfServers = defineRead<
  { servers: readonly number[]; roomIds: readonly string[] },
  { room: number; room_id: string }
>('roomServer.roomsOf', (q, p) =>
  q
    .selectFrom('room as r')
    .select(['r.room', 'r.room_id'])
    .where('r.room_id', 'in', p.list('roomIds'))
    .where((e) =>
      e.or([
        e.exists(
          e
            .selectFrom('room_server as s')
            .select('s.room')
            .whereRef('s.room', '=', 'r.room')
            .where('s.server_nid', 'in', p.list('servers'))
            .where('s.joined', '>', 0),
        ),
        e.exists(
          e
            .selectFrom('partial_room_server as t')
            .select('t.room')
            .whereRef('t.room', '=', 'r.room')
            .where('t.server_nid', 'in', p.list('servers')),
        ),
      ]),
    ),
);

/** Of these rooms, those to which a user of the server is invited. */
export const roomsInvitingServer = defineRead<{ server: number; rooms: readonly number[] }, { room: number }>(
  'roomServer.roomsInviting',
  (q, p) =>
    q
      .selectFrom('room as r')
      .select('r.room')
      .where('r.room', 'in', p.list('rooms'))
      .where((e) =>
        e.exists(
          e
            .selectFrom('member_room as m')
            .innerJoin('user_name as u', 'u.user_nid', 'm.user_nid')
            .select('m.user_nid')
            .whereRef('m.room', '=', 'r.room')
            .where('m.membership', '=', 'invite')
            .where('u.server_nid', '=', p.server),
        ),
      ),
);

/** Those of the users who are joined to the room. */
export const joinedUsersAmong = defineRead<{ room: number; users: readonly number[] }, { user_nid: number }>(
  'roomServer.joinedUsersAmong',
  (q, p) =>
    q
      .selectFrom('member_room')
      .select('user_nid')
      .where('room', '=', p.room)
      .where('user_nid', 'in', p.list('users'))
      .where('membership', '=', 'join'),
);
