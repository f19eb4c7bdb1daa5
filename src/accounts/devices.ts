/** The devices of a user. https://spec.matrix.org/v1.19/client-server-api/#device-management */
import { notFound } from '../matrix/errors.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { deleteAccessTokensOfDevices } from '../storage/stores/access-token-store.ts';
import { deleteSignaturesOf } from '../storage/stores/cross-signing-store.ts';
import { moveDeviceChange } from '../storage/stores/device-change-store.ts';
import { deleteDeviceKeys, deleteFallbackKeys } from '../storage/stores/device-key-store.ts';
import { noRoom, removeAccountDataOfTypes } from '../storage/stores/account-data-store.ts';
import {
  deleteDevices as deleteDeviceRows,
  deleteOneTimeKeysOfDevices,
  type DeviceRow,
  deviceOfUser,
  devicesOfUser,
  renameDevice,
} from '../storage/stores/device-store.ts';
import { deletePushersOfDevices } from '../storage/stores/pusher-store.ts';
import { deleteRefreshTokensOfDevices } from '../storage/stores/refresh-token-store.ts';
import { deleteBasesOfDevices, deleteConnectionsOfDevices } from '../storage/stores/sliding-store.ts';
import { deleteDehydratedDevices } from '../storage/stores/dehydrated-device-store.ts';
import { deleteToDeviceMessagesOf } from '../storage/stores/to-device-store.ts';
import type { AccountsContext } from './context.ts';
import type { DeviceActivity } from './device-activity.ts';
import type { Requester } from './requester.ts';

export interface Device {
  readonly deviceId: string;
  readonly displayName: string | undefined;
  readonly lastSeenTs: number | undefined;
  readonly lastSeenAddress: string | undefined;
  readonly lastSeenUserAgent: string | undefined;
}

type Reading = Pick<AccountsContext, 'db'> & { readonly activity: Pick<DeviceActivity, 'find'> };
type Telling = Pick<AccountsContext, 'outgoingDevices'>;
type Writing = Telling & Pick<AccountsContext, 'db' | 'locks'>;

export async function listDevices(ctx: Reading, userNid: number): Promise<readonly Device[]> {
  const rows = await ctx.db.all(devicesOfUser, { user: userNid });
  return rows.map((row) => deviceFrom(ctx, row));
}

/** Throws 404 M_NOT_FOUND. */
export async function getDevice(ctx: Reading, userNid: number, deviceId: string): Promise<Device> {
  const row = await ctx.db.one(deviceOfUser, { user: userNid, deviceId });
  if (row === undefined) throw noSuchDevice();
  return deviceFrom(ctx, row);
}

/** `displayName` undefined: unchanged. Throws 404 M_NOT_FOUND. */
export function updateDevice(
  ctx: Writing,
  userNid: number,
  deviceId: string,
  displayName: string | undefined,
): Promise<void> {
  return ctx.locks.run(userNid, async () => {
    const row = await ctx.db.one(deviceOfUser, { user: userNid, deviceId });
    if (row === undefined) throw noSuchDevice();
    if (displayName === undefined || displayName === row.display_name) return;
    await ctx.db.write((unit) => {
      unit.run(renameDevice, { device: row.device_nid, displayName });
      const pos = unit.nextPos();
      unit.wake({ kind: 'device', userNid, deviceId, pos, change: 'renamed' });
      writeDeviceListChange(ctx, unit, userNid, pos, [deviceId]);
    }).committed;
  });
}

/** Logs out the devices of these ids; ids that are not there are no error. */
export function deleteDevices(ctx: Writing, userNid: number, deviceIds: readonly string[]): Promise<void> {
  const wanted = new Set(deviceIds);
  return deleteDevicesWhere(ctx, userNid, ({ device_id: id }) => wanted.has(id));
}

/** POST /logout: the session that asks, with its device. */
export function logOut(ctx: Writing, { userNid, deviceNid }: Pick<Requester, 'userNid' | 'deviceNid'>): Promise<void> {
  return deleteDevicesWhere(ctx, userNid, ({ device_nid: nid }) => nid === deviceNid);
}

/** POST /logout/all: every session of the user. */
export function logOutAll(ctx: Writing, { userNid }: Pick<Requester, 'userNid'>): Promise<void> {
  return deleteDevicesWhere(ctx, userNid, () => true);
}

/** Part of a unit: devices with all their tokens, keys, messages and pushers. */
export function writeDeviceRemoval(
  ctx: Telling,
  unit: UnitBuilder,
  userNid: number,
  devices: readonly DeviceRow[],
): void {
  if (devices.length === 0) return;
  const nids = devices.map(({ device_nid: nid }) => nid);
  unit.run(deleteAccessTokensOfDevices, { devices: nids });
  unit.run(deleteRefreshTokensOfDevices, { devices: nids });
  unit.run(deleteOneTimeKeysOfDevices, { devices: nids });
  unit.run(deletePushersOfDevices, { devices: nids });
  unit.run(deleteToDeviceMessagesOf, { devices: nids });
  unit.run(deleteDehydratedDevices, { user: userNid, devices: nids });
  unit.run(deleteFallbackKeys, { devices: nids });
  unit.run(deleteDeviceKeys, { user: userNid, devices: nids });
  unit.run(deleteSignaturesOf, { user: userNid, targets: devices.map(({ device_id: deviceId }) => deviceId) });
  unit.run(deleteBasesOfDevices, { devices: nids });
  unit.run(deleteConnectionsOfDevices, { devices: nids });
  unit.run(deleteDeviceRows, { devices: nids });
  const pos = unit.nextPos();
  unit.run(removeAccountDataOfTypes, { user: userNid, types: devices.flatMap(notificationSettingsTypes), pos });
  unit.wake({ kind: 'account-data', userNid, room: noRoom, pos });
  for (const { device_id: deviceId } of devices)
    unit.wake({ kind: 'device', userNid, deviceId, pos, change: 'removed' });
  writeDeviceListChange(
    ctx,
    unit,
    userNid,
    pos,
    devices.map(({ device_id: deviceId }) => deviceId),
  );
  unit.wake({ kind: 'access', userNid });
}

/** Where clients keep how a device notifies. https://github.com/matrix-org/matrix-spec-proposals/pull/3890 (MSC3890) */
const notificationSettingsTypes = ({ device_id: deviceId }: DeviceRow): string[] => [
  `m.local_notification_settings.${deviceId}`,
  `org.matrix.msc3890.local_notification_settings.${deviceId}`,
];

/** Part of a unit that changes what others see of a user's devices. */
export function writeDeviceListChange(
  { outgoingDevices }: Telling,
  unit: UnitBuilder,
  userNid: number,
  pos: number,
  deviceIds: readonly string[],
): void {
  unit.run(moveDeviceChange, { user: userNid, pos });
  outgoingDevices.devicesChanged(unit, userNid, deviceIds);
  unit.wake({ kind: 'device-list', userNid, pos });
}

function deleteDevicesWhere(ctx: Writing, userNid: number, isWanted: (row: DeviceRow) => boolean): Promise<void> {
  return ctx.locks.run(userNid, async () => {
    const devices = (await ctx.db.all(devicesOfUser, { user: userNid })).filter((row) => isWanted(row));
    if (devices.length > 0) await ctx.db.write((unit) => writeDeviceRemoval(ctx, unit, userNid, devices)).committed;
  });
}

const noSuchDevice = () => notFound('You have no device of this id');

function deviceFrom(ctx: Reading, row: DeviceRow): Device {
  const seen = ctx.activity.find(row.device_nid);
  return {
    deviceId: row.device_id,
    displayName: row.display_name ?? undefined,
    lastSeenTs: seen?.tsMs ?? row.last_seen_ts ?? undefined,
    lastSeenAddress: seen?.address ?? row.last_seen_ip ?? undefined,
    lastSeenUserAgent: seen?.userAgent ?? row.last_seen_user_agent ?? undefined,
  };
}
