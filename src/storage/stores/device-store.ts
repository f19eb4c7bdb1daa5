/** Devices of local users: table device. A device_nid is never used twice. */
import { defineRead, defineWrite } from '../query.ts';

export interface DeviceRow {
  readonly device_nid: number;
  readonly device_id: string;
  readonly display_name: string | null;
  readonly created_ts: number;
  readonly last_seen_ts: number | null;
  readonly last_seen_ip: string | null;
  readonly last_seen_user_agent: string | null;
}
const columns = [
  'device_nid',
  'device_id',
  'display_name',
  'created_ts',
  'last_seen_ts',
  'last_seen_ip',
  'last_seen_user_agent',
] as const;

export const devicesOfUser = defineRead<{ user: number }, DeviceRow>('device.ofUser', (q, p) =>
  q.selectFrom('device').select(columns).where('user_nid', '=', p.user).orderBy('device_nid'),
);

/** Of all the users together. */
export const devicesOfUsers = defineRead<
  { users: readonly number[] },
  { user_nid: number; device_nid: number; device_id: string }
>('device.ofUsers', (q, p) =>
  q.selectFrom('device').select(['user_nid', 'device_nid', 'device_id']).where('user_nid', 'in', p.list('users')),
);

export const deviceOfUser = defineRead<{ user: number; deviceId: string }, DeviceRow>('device.find', (q, p) =>
  q.selectFrom('device').select(columns).where('user_nid', '=', p.user).where('device_id', '=', p.deviceId),
);

/** Fails with UniqueViolation when the user has a device of this id. */
export const insertDevice = defineWrite<{
  device: number;
  user: number;
  deviceId: string;
  displayName: string | null;
  ts: number;
  ip: string | null;
  userAgent: string | null;
}>('device.insert', (q, p) =>
  q.insertInto('device').values({
    device_nid: p.device,
    user_nid: p.user,
    device_id: p.deviceId,
    display_name: p.displayName,
    created_ts: p.ts,
    last_seen_ts: p.ts,
    last_seen_ip: p.ip,
    last_seen_user_agent: p.userAgent,
  }),
);

export const renameDevice = defineWrite<{ device: number; displayName: string | null }>('device.rename', (q, p) =>
  q.updateTable('device').set({ display_name: p.displayName }).where('device_nid', '=', p.device),
);

/** Never backwards. */
export const setDeviceSeen = defineWrite<{ device: number; ts: number; ip: string; userAgent: string | null }>(
  'device.setSeen',
  (q, p) =>
    q
      .updateTable('device')
      .set({ last_seen_ts: p.ts, last_seen_ip: p.ip, last_seen_user_agent: p.userAgent })
      .where('device_nid', '=', p.device)
      .where((e) => e.or([e('last_seen_ts', 'is', null), e('last_seen_ts', '<=', p.ts)])),
);

export const deleteDevices = defineWrite<{ devices: readonly number[] }>('device.delete', (q, p) =>
  q.deleteFrom('device').where('device_nid', 'in', p.list('devices')),
);

/** The keys of deleted devices must not be claimed any more. */
export const deleteOneTimeKeysOfDevices = defineWrite<{ devices: readonly number[] }>(
  'device.deleteOneTimeKeys',
  (q, p) => q.deleteFrom('one_time_key').where('device_nid', 'in', p.list('devices')),
);
