/** When the keys that others see of a user changed last: table device_change. */
import { type ExpressionBuilder, type RawBuilder, sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

export const setDeviceChange = defineWrite<{ user: number; pos: number }>('deviceChange.set', (q, p) =>
  q
    .insertInto('device_change')
    .values({ user_nid: p.user, pos: p.pos, stream_id: 0 })
    .onConflict((conflict) => conflict.column('user_nid').doUpdateSet((e) => ({ pos: e.ref('excluded.pos') }))),
);

/** Of a user who ever had keys; others have nothing that could change. */
export const moveDeviceChange = defineWrite<{ user: number; pos: number }>('deviceChange.move', (q, p) =>
  q.updateTable('device_change').set({ pos: p.pos }).where('user_nid', '=', p.user),
);

/** Of users who ever had keys. */
export const deviceChangesOf = defineRead<
  { users: readonly number[] },
  { user_nid: number; pos: number; stream_id: number }
>('deviceChange.ofUsers', (q, p) =>
  q.selectFrom('device_change').select(['user_nid', 'pos', 'stream_id']).where('user_nid', 'in', p.list('users')),
);

/** Of these users, those who ever had keys, and all of other servers than ours, who may have some. */
export const keyOwnersAmong = defineRead<{ users: readonly number[]; locals: readonly number[] }, { user_nid: number }>(
  'deviceChange.ownersAmong',
  (q, p) =>
    q
      .selectFrom('user_name as u')
      .leftJoin('device_change as c', 'c.user_nid', 'u.user_nid')
      .select('u.user_nid')
      .where('u.user_nid', 'in', p.list('users'))
      .where((e) => e.or([e('c.user_nid', 'is not', null), e('u.server_nid', 'not in', p.list('locals'))])),
);

/** Whose keys changed after a position among those who share a room with a user, and the user; by position, some at a time. */
export const deviceChangesSeenBy = defineRead<
  { user: number; after: number; limit: number },
  { user_nid: number; pos: number; is_seen: number }
>(
  'deviceChange.seenBy',
  (_, p) => sql<{ user_nid: number; pos: number; is_seen: number }>`
    select c.user_nid, c.pos, case when c.user_nid = ${p.user} or exists (
        select 1 from member_room as own inner join member_room as others
          on others.room = own.room and others.user_nid = c.user_nid and others.membership = 'join'
        where own.user_nid = ${p.user} and own.membership = 'join') then 1 else 0 end as is_seen
    from device_change as c where c.pos > ${p.after} order by c.pos limit ${bigint(p.limit)}`,
);

/** Joined members of a room who have keys. */
export const membersWithKeys = defineRead<{ room: number }, { user_nid: number }>('deviceChange.members', (q, p) =>
  q
    .selectFrom('member_room as m')
    .innerJoin('device_change as c', 'c.user_nid', 'm.user_nid')
    .select('m.user_nid')
    .where('m.room', '=', p.room)
    .where('m.membership', '=', 'join'),
);
/** Joined members of a room who are of other servers than ours, at most `limit`. */
export const membersElsewhere = defineRead<
  { room: number; locals: readonly number[]; limit: number },
  { user_nid: number }
>('deviceChange.membersElsewhere', (q, p) =>
  q
    .selectFrom('member_room as m')
    .innerJoin('user_name as n', 'n.user_nid', 'm.user_nid')
    .select('m.user_nid')
    .where('m.room', '=', p.room)
    .where('m.membership', '=', 'join')
    .where('n.server_nid', 'not in', p.list('locals'))
    .limit(bigint(p.limit)),
);
/** The same, only those who were joined at a position already. */
export const membersWithKeysSince = defineRead<{ room: number; pos: number }, { user_nid: number }>(
  'deviceChange.membersSince',
  (q, p) =>
    q
      .selectFrom('member_room as m')
      .innerJoin('device_change as c', 'c.user_nid', 'm.user_nid')
      .leftJoin('user_room as u', (join) => join.onRef('u.user_nid', '=', 'm.user_nid').onRef('u.room', '=', 'm.room'))
      .select('m.user_nid')
      .where('m.room', '=', p.room)
      .where('m.membership', '=', 'join')
      .where((e) => e.or([e('u.pos', 'is', null), e('u.pos', '<=', p.pos)])),
);

/** Of these users, those who share a room with a user, both joined. */
export const sharingWith = defineRead<{ user: number; others: readonly number[] }, { user_nid: number }>(
  'deviceChange.sharing',
  (q, p) =>
    q
      .selectFrom('member_room as others')
      .innerJoin('member_room as own', 'own.room', 'others.room')
      .select('others.user_nid')
      .distinct()
      .where('others.user_nid', 'in', p.list('others'))
      .where('others.membership', '=', 'join')
      .where('own.user_nid', '=', p.user)
      .where('own.membership', '=', 'join'),
);

/** null: the user `u` has no keys, as far as is known by `c`. */
function ownerIn(e: ExpressionBuilder<OwnerTables, 'u' | 'c'>, locals: RawBuilder<number>) {
  return e
    .case()
    .when(e.or([e('c.user_nid', 'is not', null), e('u.server_nid', 'not in', locals)]))
    .then(e.ref('u.user_nid'))
    .end()
    .as('user_nid');
}
type OwnerTables = {
  u: { user_nid: number | null; server_nid: number | null };
  c: { user_nid: number | null };
};

/**
 * Changes of a room's state in (after, until], by position, at most `limit`: whose membership each is about, where they have keys or
 * are of another server.
 * Those of one position may be torn apart by the limit.
 */
export const memberChangesIn = defineRead<
  { room: number; after: number; until: number; limit: number; locals: readonly number[] },
  { pos: number; user_nid: number | null }
>('deviceChange.memberChangesIn', (q, p) =>
  q
    .selectFrom('room as r')
    .innerJoin('state_change as s', (join) =>
      join.onRef('s.line', '=', 'r.main_line').on('s.pos', '>', p.after).on('s.pos', '<=', p.until),
    )
    .leftJoin('state_key as k', (join) => join.onRef('k.skey', '=', 's.skey').on('k.type', '=', 'm.room.member'))
    .leftJoin('user_name as u', 'u.user_id', 'k.key')
    .leftJoin('device_change as c', 'c.user_nid', 'u.user_nid')
    .select((e) => ['s.pos', ownerIn(e, p.list('locals'))])
    .where('r.room', '=', p.room)
    .orderBy('s.pos')
    .limit(bigint(p.limit)),
);

/** The same of all rooms in which a user is joined, in no order. */
export const memberChangesSeenBy = defineRead<
  { user: number; after: number; limit: number; locals: readonly number[] },
  { user_nid: number | null }
>('deviceChange.memberChangesSeenBy', (q, p) =>
  q
    .selectFrom('member_room as own')
    .innerJoin('room as r', 'r.room', 'own.room')
    .innerJoin('state_change as s', (join) => join.onRef('s.line', '=', 'r.main_line').on('s.pos', '>', p.after))
    .leftJoin('state_key as k', (join) => join.onRef('k.skey', '=', 's.skey').on('k.type', '=', 'm.room.member'))
    .leftJoin('user_name as u', 'u.user_id', 'k.key')
    .leftJoin('device_change as c', 'c.user_nid', 'u.user_nid')
    .select((e) => ownerIn(e, p.list('locals')))
    .where('own.user_nid', '=', p.user)
    .where('own.membership', '=', 'join')
    .limit(bigint(p.limit)),
);
