/**
 * What other servers are to be told of the keys of our users: rows of outgoing_edu with a user, whose text is made when they are sent.
 * Statements of one unit, in the order of this file.
 */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

/** What waits for any server under that name. */
export const dropWaitingEdus = defineWrite<{ replaces: string }>('deviceListEdu.dropServers', (q, p) =>
  q
    .deleteFrom('outgoing_edu_server')
    .where('pos', 'in', (e) => e.selectFrom('outgoing_edu').select('pos').where('replaces', '=', p.replaces)),
);
export const dropReplaced = defineWrite<{ replaces: string }>('deviceListEdu.drop', (q, p) =>
  q.deleteFrom('outgoing_edu').where('replaces', '=', p.replaces),
);

/**
 * Servers other than ours that share a room with a user who ever had keys, or are said to, as long as its members are not known.
 * `locals`: names.
 */
export const insertEduServersSharing = defineWrite<{ pos: number; user: number; locals: readonly string[] }>(
  'deviceListEdu.insertServersSharing',
  (q, p) =>
    q
      .insertInto('outgoing_edu_server')
      .columns(['server_nid', 'pos'])
      .expression(
        q
          .selectFrom('device_change as c')
          .innerJoin('user_room as u', 'u.user_nid', 'c.user_nid')
          .innerJoin('room_server as s', 's.room', 'u.room')
          .innerJoin('server_name as n', 'n.server_nid', 's.server_nid')
          .select(['s.server_nid', bigint(p.pos).as('pos')])
          .where('c.user_nid', '=', p.user)
          .where('u.membership', '=', 'join')
          .where('s.joined', '>', 0)
          .where('n.name', 'not in', p.list('locals'))
          .union(
            q
              .selectFrom('device_change as c')
              .innerJoin('user_room as u', 'u.user_nid', 'c.user_nid')
              .innerJoin('partial_room_server as s', 's.room', 'u.room')
              .innerJoin('server_name as n', 'n.server_nid', 's.server_nid')
              .select(['s.server_nid', bigint(p.pos).as('pos')])
              .where('c.user_nid', '=', p.user)
              .where('u.membership', '=', 'join')
              .where('n.name', 'not in', p.list('locals')),
          ),
      ),
);

/** Where a server waits for it. It refers to the newest one before it. */
export const insertDeviceListEdu = defineWrite<{ pos: number; user: number; deviceId: string; replaces: string }>(
  'deviceListEdu.insertUpdate',
  (_, p) => sql`
    insert into outgoing_edu (pos, replaces, json, user_nid, device_id, stream_id, prev_id)
    select ${bigint(p.pos)}, ${p.replaces}, '', c.user_nid, ${p.deviceId}, ${bigint(p.pos)}, nullif(c.stream_id, 0)
    from device_change as c where c.user_nid = ${p.user}
      and exists (select 1 from outgoing_edu_server as s where s.pos = ${p.pos})`,
);
export const setDeviceStream = defineWrite<{ user: number; streamId: number }>('deviceListEdu.setStream', (q, p) =>
  q.updateTable('device_change').set({ stream_id: p.streamId }).where('user_nid', '=', p.user),
);

/** Where a server waits for it. */
export const insertSigningKeyEdu = defineWrite<{ pos: number; user: number; replaces: string }>(
  'deviceListEdu.insertSigningKeys',
  (_, p) => sql`
    insert into outgoing_edu (pos, replaces, json, user_nid)
    select s.pos, ${p.replaces}, '', ${bigint(p.user)} from outgoing_edu_server as s where s.pos = ${p.pos} limit 1`,
);

/** For servers that do not know the list: it refers to one that nobody knows. The servers are inserted apart. */
export const insertIntroducingEdu = defineWrite<{ pos: number; user: number; deviceId: string; replaces: string }>(
  'deviceListEdu.insertIntroducing',
  (_, p) => sql`
    insert into outgoing_edu (pos, replaces, json, user_nid, device_id, stream_id, prev_id)
    select ${bigint(p.pos)}, ${p.replaces}, '', u.user_nid, ${p.deviceId}, coalesce(c.stream_id, 0), ${bigint(p.pos)}
    from user_name as u left join device_change as c on c.user_nid = u.user_nid where u.user_nid = ${p.user}`,
);

export const serversOfEdu = defineRead<{ pos: number }, { server_nid: number }>('deviceListEdu.servers', (q, p) =>
  q.selectFrom('outgoing_edu_server').select('server_nid').where('pos', '=', p.pos),
);

/** Of these servers, those that share no room with the user but this one, as far as is known or said. */
export const serversNewTo = defineRead<
  { user: number; room: number; servers: readonly number[] },
  { server_nid: number }
>('deviceListEdu.serversNewTo', (q, p) =>
  q
    .selectFrom('server_name as n')
    .select('n.server_nid')
    .where('n.server_nid', 'in', p.list('servers'))
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('user_room as u')
            .innerJoin('room_server as o', 'o.room', 'u.room')
            .select('u.room')
            .where('u.user_nid', '=', p.user)
            .where('u.membership', '=', 'join')
            .where('u.room', '<>', p.room)
            .whereRef('o.server_nid', '=', 'n.server_nid')
            .where('o.joined', '>', 0),
        ),
      ),
    )
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('user_room as u')
            .innerJoin('partial_room_server as o', 'o.room', 'u.room')
            .select('u.room')
            .where('u.user_nid', '=', p.user)
            .where('u.membership', '=', 'join')
            .where('u.room', '<>', p.room)
            .whereRef('o.server_nid', '=', 'n.server_nid'),
        ),
      ),
    ),
);
