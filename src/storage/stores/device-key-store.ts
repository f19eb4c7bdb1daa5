/**
 * Public keys of local devices: device_key, one_time_key, fallback_key. Keys are written for devices that exist only: a
 * statement for one that was deleted meanwhile changes no row.
 */
import { sql } from 'kysely';
import { defineRead, defineWrite, jsonInteger, jsonRows, jsonText } from '../query.ts';

/** A device of a user; `json` null: it has no keys. */
export interface DeviceKeyRow {
  readonly user_nid: number;
  readonly device_nid: number;
  readonly device_id: string;
  readonly display_name: string | null;
  readonly json: string | null;
}
export const devicesWithKeys = defineRead<{ users: readonly number[] }, DeviceKeyRow>('deviceKey.ofUsers', (q, p) =>
  q
    .selectFrom('device as d')
    .leftJoin('device_key as k', (join) =>
      join.onRef('k.user_nid', '=', 'd.user_nid').onRef('k.device_nid', '=', 'd.device_nid'),
    )
    .select(['d.user_nid', 'd.device_nid', 'd.device_id', 'd.display_name', 'k.json'])
    .where('d.user_nid', 'in', p.list('users'))
    .orderBy('d.device_nid'),
);

export const deviceKeysOf = defineRead<{ user: number; device: number }, { json: string }>('deviceKey.find', (q, p) =>
  q.selectFrom('device_key').select('json').where('user_nid', '=', p.user).where('device_nid', '=', p.device),
);

export const setDeviceKeys = defineWrite<{ device: number; json: string }>(
  'deviceKey.set',
  (_, p) => sql`
    insert into device_key (user_nid, device_nid, json)
    select d.user_nid, d.device_nid, ${p.json} from device as d where d.device_nid = ${p.device}
    on conflict (user_nid, device_nid) do update set json = excluded.json`,
);

/** One row each: algorithm, serial, key id, the key as JSON text. */
export type OneTimeKeyTuple = readonly [algorithm: string, serial: number, keyId: string, json: string];

/** `rows`: JSON text of a list of `OneTimeKeyTuple`. */
export const insertOneTimeKeys = defineWrite<{ device: number; rows: string }>(
  'oneTimeKey.insertAll',
  (q, p) => sql`
    insert into one_time_key (device_nid, algorithm, serial, key_id, json)
    select d.device_nid, ${jsonText(0)}, ${jsonInteger(1)}, ${jsonText(2)}, ${jsonText(3)}
    from device as d, ${jsonRows(q, p.rows)} where d.device_nid = ${p.device}`,
);

export const oneTimeKeysWithIds = defineRead<
  { device: number; algorithms: readonly string[]; keyIds: readonly string[] },
  { algorithm: string; key_id: string; json: string }
>('oneTimeKey.withIds', (q, p) =>
  q
    .selectFrom('one_time_key')
    .select(['algorithm', 'key_id', 'json'])
    .where('device_nid', '=', p.device)
    .where('algorithm', 'in', p.list('algorithms'))
    .where('key_id', 'in', p.list('keyIds')),
);

/** `rows`: JSON text of a list of algorithm, key id, key as JSON text. A key that is there already stays as used as it is. */
export const setFallbackKeys = defineWrite<{ device: number; rows: string }>(
  'fallbackKey.setAll',
  (q, p) => sql`
    insert into fallback_key (device_nid, algorithm, key_id, json, used)
    select d.device_nid, ${jsonText(0)}, ${jsonText(1)}, ${jsonText(2)}, 0
    from device as d, ${jsonRows(q, p.rows)} where d.device_nid = ${p.device}
    on conflict (device_nid, algorithm) do update set key_id = excluded.key_id, json = excluded.json,
      used = case when fallback_key.key_id = excluded.key_id and fallback_key.json = excluded.json
        then fallback_key.used else 0 end`,
);

/** How many one-time keys a device has of each algorithm; 0 stands for a fallback key that was not used. */
export const keyCounts = defineRead<{ device: number }, { algorithm: string; keys: number }>(
  'oneTimeKey.counts',
  (_, p) => sql<{ algorithm: string; keys: number }>`
    select algorithm, count(*) as keys from one_time_key where device_nid = ${p.device} group by algorithm
    union all
    select algorithm, 0 as keys from fallback_key where device_nid = ${p.device} and used = 0
    order by algorithm`,
);

export interface ClaimedKeyRow {
  readonly device_nid: number;
  readonly key_id: string;
  readonly json: string;
}

/** The fallback keys of those devices that have no one-time key left; from now on they are used ones. */
export const claimFallbackKeys = defineWrite<{ devices: readonly number[]; algorithm: string }, ClaimedKeyRow>(
  'fallbackKey.claim',
  (q, p) =>
    q
      .updateTable('fallback_key')
      .set({ used: 1 })
      .where('device_nid', 'in', p.list('devices'))
      .where('algorithm', '=', p.algorithm)
      .where((e) =>
        e.not(
          e.exists(
            e
              .selectFrom('one_time_key as o')
              .select('o.serial')
              .whereRef('o.device_nid', '=', 'fallback_key.device_nid')
              .whereRef('o.algorithm', '=', 'fallback_key.algorithm'),
          ),
        ),
      )
      .returning(['device_nid', 'key_id', 'json']),
);

/** The oldest one-time key of each device, which nobody will ever get again. `devices`: JSON text of a list of lists of one. */
export const claimOneTimeKeys = defineWrite<{ devices: string; algorithm: string }, ClaimedKeyRow>(
  'oneTimeKey.claim',
  (q, p) => sql<ClaimedKeyRow>`
    delete from one_time_key where (device_nid, algorithm, serial) in (
      select o.device_nid, o.algorithm, o.serial from ${jsonRows(q, p.devices)}, one_time_key as o
      where o.device_nid = ${jsonInteger(0)} and o.algorithm = ${p.algorithm} and o.serial = (
        select min(first.serial) from one_time_key as first
        where first.device_nid = ${jsonInteger(0)} and first.algorithm = ${p.algorithm}))
    returning device_nid, key_id, json`,
);

/** The keys of deleted devices must not be seen or claimed any more. One-time keys have a statement of their own. */
export const deleteDeviceKeys = defineWrite<{ user: number; devices: readonly number[] }>('deviceKey.delete', (q, p) =>
  q.deleteFrom('device_key').where('user_nid', '=', p.user).where('device_nid', 'in', p.list('devices')),
);
export const deleteFallbackKeys = defineWrite<{ devices: readonly number[] }>('fallbackKey.delete', (q, p) =>
  q.deleteFrom('fallback_key').where('device_nid', 'in', p.list('devices')),
);
