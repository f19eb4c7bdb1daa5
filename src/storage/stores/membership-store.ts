/** Who is in which room: user_room (local users), member_room (everybody), room_server, stripped_state. */
import { type Expression, type ExpressionBuilder, type OnConflictDatabase, type OnConflictTables } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';
import type { Schema } from '../schema.ts';

export interface UserRoom {
  readonly room: number;
  readonly membership: string;
  /** nid of their membership event */
  readonly event: number;
  /** since when the membership is what it is */
  readonly pos: number;
  readonly read_ord: number;
  readonly notify_read: number;
  readonly forgotten: number;
}

export const userRooms = defineRead<{ user: number }, UserRoom>('membership.userRooms', (q, p) =>
  q
    .selectFrom('user_room')
    .select(['room', 'membership', 'event', 'pos', 'read_ord', 'notify_read', 'forgotten'])
    .where('user_nid', '=', p.user)
    .orderBy('room'),
);

export const userRoom = defineRead<{ user: number; room: number }, UserRoom>('membership.userRoom', (q, p) =>
  q
    .selectFrom('user_room')
    .select(['room', 'membership', 'event', 'pos', 'read_ord', 'notify_read', 'forgotten'])
    .where('user_nid', '=', p.user)
    .where('room', '=', p.room),
);

/** Rooms that a user has joined and in which something came after what they have read. */
export const roomsBeyondMarker = defineRead<{ user: number }, { room: number }>(
  'membership.roomsBeyondMarker',
  (q, p) =>
    q
      .selectFrom('user_room as u')
      .select('u.room')
      .where('u.user_nid', '=', p.user)
      .where('u.membership', '=', 'join')
      .where((e) =>
        e.exists(
          e
            .selectFrom('event as v')
            .select('v.nid')
            .whereRef('v.room', '=', 'u.room')
            .whereRef('v.ord', '>', 'u.read_ord'),
        ),
      ),
);

export const membersOf = defineRead<{ room: number; membership: string; limit: number }, { user_nid: number }>(
  'membership.membersOf',
  (q, p) =>
    q
      .selectFrom('member_room')
      .select('user_nid')
      .where('room', '=', p.room)
      .where('membership', '=', p.membership)
      .orderBy('user_nid')
      .limit(bigint(p.limit)),
);

/** The same of many rooms, at most `limit` of each. */
export const membersOfRooms = defineRead<
  { rooms: readonly number[]; membership: string; limit: number },
  { room: number; user_nid: number }
>('membership.membersOfRooms', (q, p) =>
  q
    .selectFrom('room as r')
    .innerJoin('member_room as m', 'm.room', 'r.room')
    .select(['m.room', 'm.user_nid'])
    .where('r.room', 'in', p.list('rooms'))
    .where('m.membership', '=', p.membership)
    .where('m.user_nid', '<', (x) =>
      x.fn.coalesce(
        x
          .selectFrom('member_room as n')
          .select('n.user_nid')
          .whereRef('n.room', '=', 'r.room')
          .where('n.membership', '=', p.membership)
          .orderBy('n.user_nid')
          .limit(1)
          .offset(bigint(p.limit)),
        x.lit(Number.MAX_SAFE_INTEGER),
      ),
    )
    .orderBy('m.user_nid'),
);

/** Joined: summed up over servers; invited: counted. */
export const memberCounts = defineRead<{ room: number }, { joined: number | null; invited: number | null }>(
  'membership.counts',
  (q, p) =>
    q
      .selectFrom('room_server')
      .select((e) => [
        e.cast<number | null>(e.fn.sum('joined'), 'bigint').as('joined'),
        e
          .selectFrom('member_room')
          .select((m) => m.fn.countAll<number>().as('members'))
          .where('room', '=', p.room)
          .where('membership', '=', 'invite')
          .as('invited'),
      ])
      .where('room', '=', p.room),
);

/** The same of many rooms; those that never had members are missing. */
export const memberCountsOf = defineRead<
  { rooms: readonly number[] },
  { room: number; joined: number; invited: number | null }
>('membership.countsOf', (q, p) =>
  q
    .selectFrom('room_server as s')
    .select((e) => [
      's.room',
      e.cast<number>(e.fn.sum('s.joined'), 'bigint').as('joined'),
      e
        .selectFrom('member_room as i')
        .select((m) => m.fn.countAll<number>().as('members'))
        .whereRef('i.room', '=', 's.room')
        .where('i.membership', '=', 'invite')
        .as('invited'),
    ])
    .where('s.room', 'in', p.list('rooms'))
    .groupBy('s.room'),
);

/** A room in which both users are joined; the other one may be of another server. */
export const sharedRoom = defineRead<{ user: number; other: number }, { room: number }>(
  'membership.sharedRoom',
  (q, p) =>
    q
      .selectFrom('member_room as own')
      .innerJoin('member_room as others', 'others.room', 'own.room')
      .select('own.room')
      .where('own.user_nid', '=', p.user)
      .where('own.membership', '=', 'join')
      .where('others.user_nid', '=', p.other)
      .where('others.membership', '=', 'join')
      .limit(1),
);

/** The number of joined users, as the sum over servers: does not grow with the members. */
export const joinedCount = defineRead<{ room: number }, { members: number | null }>('membership.joinedCount', (q, p) =>
  q
    .selectFrom('room_server')
    .select((e) => e.cast<number | null>(e.fn.sum('joined'), 'bigint').as('members'))
    .where('room', '=', p.room),
);

/** The same of many rooms; those that never had members are missing. */
export const joinedCounts = defineRead<{ rooms: readonly number[] }, { room: number; members: number }>(
  'membership.joinedCounts',
  (q, p) =>
    q
      .selectFrom('room_server')
      .select((e) => ['room', e.cast<number>(e.fn.sum('joined'), 'bigint').as('members')])
      .where('room', 'in', p.list('rooms'))
      .groupBy('room'),
);

/** The servers with joined users, those with the most of them first. */
export const serversInRoom = defineRead<{ room: number; limit: number }, { name: string; joined: number }>(
  'membership.serversInRoom',
  (q, p) =>
    q
      .selectFrom('room_server')
      .innerJoin('server_name', 'server_name.server_nid', 'room_server.server_nid')
      .select(['server_name.name', 'room_server.joined'])
      .where('room_server.room', '=', p.room)
      .where('room_server.joined', '>', 0)
      .orderBy('room_server.joined', 'desc')
      .orderBy('server_name.name')
      .limit(bigint(p.limit)),
);

/** Of these rooms, those that one of the servers has a joined user in, with the user's membership; null: none. */
export const membershipsIn = defineRead<
  { user: number; roomIds: readonly string[]; servers: readonly number[] },
  { membership: string | null }
>('membership.membershipsIn', (q, p) =>
  q
    .selectFrom('room as r')
    .leftJoin('member_room as m', (join) => join.onRef('m.room', '=', 'r.room').on('m.user_nid', '=', p.user))
    .select('m.membership')
    .where('r.room_id', 'in', p.list('roomIds'))
    .where((e) =>
      e.exists(
        e
          .selectFrom('room_server as s')
          .select('s.room')
          .whereRef('s.room', '=', 'r.room')
          .where('s.server_nid', 'in', p.list('servers'))
          .where('s.joined', '>', 0),
      ),
    ),
);

/** The user's memberships in these rooms, as far as they have one. */
export const membershipsOf = defineRead<
  { user: number; rooms: readonly number[] },
  { room: number; membership: string }
>('membership.membershipsOf', (q, p) =>
  q
    .selectFrom('member_room')
    .select(['room', 'membership'])
    .where('user_nid', '=', p.user)
    .where('room', 'in', p.list('rooms')),
);

/** Of these rooms, those in which the user is joined. */
export const joinedAmong = defineRead<{ user: number; roomIds: readonly string[] }, { room_id: string }>(
  'membership.joinedAmong',
  (q, p) =>
    q
      .selectFrom('room as r')
      .innerJoin('member_room as m', 'm.room', 'r.room')
      .select('r.room_id')
      .where('r.room_id', 'in', p.list('roomIds'))
      .where('m.user_nid', '=', p.user)
      .where('m.membership', '=', 'join'),
);

/** The rooms in which both users are joined, in ascending order. */
export const sharedRooms = defineRead<{ user: number; other: number }, { room: number }>(
  'membership.sharedRooms',
  (q, p) =>
    q
      .selectFrom('member_room as own')
      .innerJoin('member_room as others', 'others.room', 'own.room')
      .select('own.room')
      .where('own.user_nid', '=', p.user)
      .where('own.membership', '=', 'join')
      .where('others.user_nid', '=', p.other)
      .where('others.membership', '=', 'join')
      .orderBy('own.room'),
);

/** Of the first `scanned` joined members, a few who are ours, whatever the room's size. */
export const someJoinedLocalUsers = defineRead<
  { room: number; servers: readonly number[]; scanned: number; limit: number },
  { user_nid: number }
>('membership.someJoinedLocalUsers', (q, p) =>
  q
    .selectFrom((e) =>
      e
        .selectFrom('member_room')
        .select('user_nid')
        .where('room', '=', p.room)
        .where('membership', '=', 'join')
        .orderBy('user_nid')
        .limit(bigint(p.scanned))
        .as('m'),
    )
    .innerJoin('user_name as u', 'u.user_nid', 'm.user_nid')
    .select('m.user_nid')
    .where('u.server_nid', 'in', p.list('servers'))
    .limit(bigint(p.limit)),
);

/** A room that was forgotten stays so, and as it was then, when its user is banned there, or no longer. */
export const upsertUserRoom = defineWrite<{
  user: number;
  room: number;
  membership: string;
  event: number;
  pos: number;
  readOrd: number;
  notifyRead: number;
}>('membership.upsertUserRoom', (q, p) =>
  q
    .insertInto('user_room')
    .values({
      user_nid: p.user,
      room: p.room,
      membership: p.membership,
      event: p.event,
      pos: p.pos,
      read_ord: p.readOrd,
      notify_read: p.notifyRead,
      forgotten: 0,
    })
    .onConflict((conflict) =>
      conflict.columns(['user_nid', 'room']).doUpdateSet((e) => ({
        membership: e.ref('excluded.membership'),
        event: e.ref('excluded.event'),
        pos: ifStillForgotten(e, e.ref('user_room.pos'), e.ref('excluded.pos')),
        read_ord: e.ref('excluded.read_ord'),
        notify_read: e.ref('excluded.notify_read'),
        forgotten: ifStillForgotten(e, e.ref('user_room.forgotten'), e.lit(0)),
      })),
    ),
);

type UserRoomUpsert = ExpressionBuilder<OnConflictDatabase<Schema, 'user_room'>, OnConflictTables<'user_room'>>;

function ifStillForgotten(
  e: UserRoomUpsert,
  then: Expression<number>,
  otherwise: Expression<number>,
): Expression<number> {
  return e
    .case()
    .when(e.and([e('user_room.forgotten', '=', 1), e('excluded.membership', 'in', ['leave', 'ban'])]))
    .then(then)
    .else(otherwise)
    .end();
}

/** A new membership event of somebody who stays what they were (a changed profile): since when, and what they have read, stay. */
export const updateUserRoomEvent = defineWrite<{ user: number; room: number; event: number }>(
  'membership.updateUserRoomEvent',
  (q, p) =>
    q.updateTable('user_room').set({ event: p.event }).where('user_nid', '=', p.user).where('room', '=', p.room),
);

/** Never backwards. */
export const markRead = defineWrite<{ user: number; room: number; readOrd: number; notifyRead: number }>(
  'membership.markRead',
  (q, p) =>
    q
      .updateTable('user_room')
      .set({ read_ord: p.readOrd, notify_read: p.notifyRead })
      .where('user_nid', '=', p.user)
      .where('room', '=', p.room)
      .where('read_ord', '<', p.readOrd),
);

export const forgetRoom = defineWrite<{ user: number; room: number }>('membership.forgetRoom', (q, p) =>
  q
    .updateTable('user_room')
    .set({ forgotten: 1 })
    .where('user_nid', '=', p.user)
    .where('room', '=', p.room)
    .where('membership', 'in', ['leave', 'ban']),
);

// The count of a server's joined users changes only with a row that really changes: first take the old membership away,
// then set the new one, then count it. The three run in one unit.
export const uncountMember = defineWrite<{ user: number; room: number; server: number }>(
  'membership.uncountMember',
  (q, p) =>
    q
      .updateTable('room_server')
      .set((e) => ({ joined: e('joined', '-', 1) }))
      .where('room', '=', p.room)
      .where('server_nid', '=', p.server)
      .where((e) =>
        e.exists(
          e
            .selectFrom('member_room')
            .select('member_room.user_nid')
            .where('member_room.user_nid', '=', p.user)
            .where('member_room.room', '=', p.room)
            .where('member_room.membership', '=', 'join'),
        ),
      ),
);
export const setMember = defineWrite<{ user: number; room: number; membership: string }>(
  'membership.setMember',
  (q, p) =>
    q
      .insertInto('member_room')
      .values({ user_nid: p.user, room: p.room, membership: p.membership })
      .onConflict((conflict) =>
        conflict.columns(['user_nid', 'room']).doUpdateSet((e) => ({ membership: e.ref('excluded.membership') })),
      ),
);
export const countMember = defineWrite<{ room: number; server: number }>('membership.countMember', (q, p) =>
  q
    .insertInto('room_server')
    .values({ room: p.room, server_nid: p.server, joined: 1 })
    .onConflict((conflict) =>
      conflict.columns(['room', 'server_nid']).doUpdateSet((e) => ({ joined: e('room_server.joined', '+', 1) })),
    ),
);

export const strippedState = defineRead<{ user: number; room: number }, { json: string }>(
  'membership.strippedState',
  (q, p) => q.selectFrom('stripped_state').select('json').where('user_nid', '=', p.user).where('room', '=', p.room),
);
export const setStrippedState = defineWrite<{ user: number; room: number; json: string }>(
  'membership.setStrippedState',
  (q, p) =>
    q
      .insertInto('stripped_state')
      .values({ user_nid: p.user, room: p.room, json: p.json })
      .onConflict((conflict) =>
        conflict.columns(['user_nid', 'room']).doUpdateSet((e) => ({ json: e.ref('excluded.json') })),
      ),
);
export const dropStrippedState = defineWrite<{ user: number; room: number }>('membership.dropStrippedState', (q, p) =>
  q.deleteFrom('stripped_state').where('user_nid', '=', p.user).where('room', '=', p.room),
);
