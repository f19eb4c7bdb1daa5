/** Keys of users of other servers that are kept: remote_device_list, remote_device, and cross_signing_key for theirs. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite, jsonRows, jsonText } from '../query.ts';

export interface RemoteListRow {
  readonly user_nid: number;
  readonly server_nid: number;
  /** null: they were never had. */
  readonly stream_id: number | null;
  /** Since when they may not be right; 0: they are. */
  readonly stale_pos: number;
}
export const remoteLists = defineRead<{ users: readonly number[] }, RemoteListRow>('remoteDevice.lists', (q, p) =>
  q
    .selectFrom('remote_device_list')
    .select(['user_nid', 'server_nid', 'stream_id', 'stale_pos'])
    .where('user_nid', 'in', p.list('users')),
);
export const staleLists = defineRead<Record<never, never>, RemoteListRow>('remoteDevice.stale', (q) =>
  q
    .selectFrom('remote_device_list')
    .select(['user_nid', 'server_nid', 'stream_id', 'stale_pos'])
    .where('stale_pos', '<>', 0)
    .orderBy('stale_pos'),
);
export const remoteDevices = defineRead<
  { users: readonly number[] },
  { user_nid: number; device_id: string; json: string }
>('remoteDevice.devices', (q, p) =>
  q
    .selectFrom('remote_device')
    .select(['user_nid', 'device_id', 'json'])
    .where('user_nid', 'in', p.list('users'))
    .orderBy('device_id'),
);

/** Of these users, those who share a room with a user of ours. */
export const sharingWithUs = defineRead<{ users: readonly number[]; locals: readonly number[] }, { user_nid: number }>(
  'remoteDevice.sharingWithUs',
  (q, p) =>
    q
      .selectFrom('member_room as m')
      .innerJoin('room_server as s', 's.room', 'm.room')
      .select('m.user_nid')
      .distinct()
      .where('m.user_nid', 'in', p.list('users'))
      .where('m.membership', '=', 'join')
      .where('s.server_nid', 'in', p.list('locals'))
      .where('s.joined', '>', 0),
);

/** Those whose keys are kept, by number, at most `limit`. */
export const keptAbove = defineRead<{ above: number; limit: number }, { user_nid: number }>(
  'remoteDevice.keptAbove',
  (q, p) =>
    q
      .selectFrom('remote_device_list')
      .select('user_nid')
      .where('user_nid', '>', p.above)
      .orderBy('user_nid')
      .limit(bigint(p.limit)),
);

/** Users in a room whose keys are kept. */
export const keptMembersOf = defineRead<{ room: number }, { user_nid: number }>('remoteDevice.keptMembers', (q, p) =>
  q
    .selectFrom('member_room as m')
    .innerJoin('remote_device_list as l', 'l.user_nid', 'm.user_nid')
    .select('l.user_nid')
    .where('m.room', '=', p.room)
    .where('m.membership', '=', 'join'),
);

/** Those of these users whose keys are not kept yet: they are to be had. */
export const insertWantedLists = defineWrite<
  { users: readonly number[]; pos: number },
  { user_nid: number; server_nid: number }
>('remoteDevice.insertWanted', (q, p) =>
  q
    .insertInto('remote_device_list')
    .columns(['user_nid', 'server_nid', 'stream_id', 'stale_pos'])
    .expression(
      q
        .selectFrom('user_name')
        .select(['user_nid', 'server_nid', sql<number>`cast(null as bigint)`.as('stream_id'), bigint(p.pos).as('pos')])
        .where('user_nid', 'in', p.list('users')),
    )
    .onConflict((conflict) => conflict.column('user_nid').doNothing())
    .returning(['user_nid', 'server_nid']),
);
export const markStale = defineWrite<{ users: readonly number[]; pos: number }>('remoteDevice.markStale', (q, p) =>
  q.updateTable('remote_device_list').set({ stale_pos: p.pos }).where('user_nid', 'in', p.list('users')),
);
/** All of a server. */
export const markServerStale = defineWrite<{ server: number; pos: number }, { user_nid: number }>(
  'remoteDevice.markServerStale',
  (q, p) =>
    q
      .updateTable('remote_device_list')
      .set({ stale_pos: p.pos })
      .where('server_nid', '=', p.server)
      .returning('user_nid'),
);
export const setRemoteList = defineWrite<{ user: number; streamId: number; stalePos: number }>(
  'remoteDevice.setList',
  (q, p) =>
    q
      .updateTable('remote_device_list')
      .set({ stream_id: p.streamId, stale_pos: p.stalePos })
      .where('user_nid', '=', p.user),
);

/** `rows`: JSON text of a list of `[deviceId, json]`. */
export const setRemoteDevices = defineWrite<{ user: number; rows: string }>(
  'remoteDevice.set',
  (q, p) => sql`
    insert into remote_device (user_nid, device_id, json)
    select ${bigint(p.user)}, ${jsonText(0)}, ${jsonText(1)} from ${jsonRows(q, p.rows)} where true
    on conflict (user_nid, device_id) do update set json = excluded.json`,
);
export const deleteRemoteDevices = defineWrite<{ user: number; deviceIds: readonly string[] }>(
  'remoteDevice.deleteSome',
  (q, p) => q.deleteFrom('remote_device').where('user_nid', '=', p.user).where('device_id', 'in', p.list('deviceIds')),
);
export const deleteRemoteCrossSigningKey = defineWrite<{ user: number; usage: string }>(
  'remoteDevice.deleteCrossSigning',
  (q, p) => q.deleteFrom('cross_signing_key').where('user_nid', '=', p.user).where('usage', '=', p.usage),
);

/** Everything that is kept of these users' keys: three statements. */
export const deleteRemoteLists = defineWrite<{ users: readonly number[] }>('remoteDevice.deleteLists', (q, p) =>
  q.deleteFrom('remote_device_list').where('user_nid', 'in', p.list('users')),
);
export const deleteRemoteDevicesOf = defineWrite<{ users: readonly number[] }>('remoteDevice.deleteAllOf', (q, p) =>
  q.deleteFrom('remote_device').where('user_nid', 'in', p.list('users')),
);
export const deleteRemoteCrossSigningKeys = defineWrite<{ users: readonly number[] }>(
  'remoteDevice.deleteCrossSigningOf',
  (q, p) => q.deleteFrom('cross_signing_key').where('user_nid', 'in', p.list('users')),
);
