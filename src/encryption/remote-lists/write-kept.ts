/** Parts of units that change what is kept of the keys of users of other servers. */
import { UnexpectedChanges, type UnitBuilder, UnitFailed, type UnitTicket } from '../../storage/database.ts';
import { setCrossSigningKey } from '../../storage/stores/cross-signing-store.ts';
import { setDeviceChange } from '../../storage/stores/device-change-store.ts';
import {
  deleteRemoteCrossSigningKey,
  deleteRemoteCrossSigningKeys,
  deleteRemoteDevices,
  deleteRemoteDevicesOf,
  deleteRemoteLists,
  markStale,
  setRemoteDevices,
  setRemoteList,
} from '../../storage/stores/remote-device-store.ts';
import type { PublishedKey, UserKeys } from '../user-keys.ts';

/** By device id and usage; undefined: gone. */
export interface KeyChanges {
  readonly devices: ReadonlyMap<string, string | undefined>;
  readonly crossSigning: ReadonlyMap<string, PublishedKey | undefined>;
}

export function changesBetween(before: UserKeys, after: UserKeys): KeyChanges {
  const devices = new Map<string, string | undefined>();
  for (const [id, { text }] of after.devices) if (before.devices.get(id)?.text !== text) devices.set(id, text);
  for (const id of before.devices.keys()) if (!after.devices.has(id)) devices.set(id, undefined);
  const crossSigning = new Map<string, PublishedKey | undefined>();
  for (const usage of ['master', 'self_signing'] as const) {
    const key = after.crossSigning.get(usage);
    if (before.crossSigning.get(usage)?.text !== key?.text) crossSigning.set(usage, key);
  }
  return { devices, crossSigning };
}

export const isNothing = ({ devices, crossSigning }: KeyChanges): boolean => devices.size + crossSigning.size === 0;

/** The unit fails with UnexpectedChanges when the list is not kept any more. */
export function writeList(
  unit: UnitBuilder,
  user: number,
  list: { readonly streamId: number; readonly stalePos: number },
  { devices, crossSigning }: KeyChanges,
): void {
  unit.run(setRemoteList, { user, ...list }, { changes: 1 });
  const [set, gone] = [[] as [string, string][], [] as string[]];
  for (const [deviceId, text] of devices)
    if (text === undefined) gone.push(deviceId);
    else set.push([deviceId, text]);
  if (gone.length > 0) unit.run(deleteRemoteDevices, { user, deviceIds: gone });
  if (set.length > 0) unit.run(setRemoteDevices, { user, rows: JSON.stringify(set) });
  for (const [usage, key] of crossSigning)
    if (key === undefined) unit.run(deleteRemoteCrossSigningKey, { user, usage });
    else unit.run(setCrossSigningKey, { user, usage, keyId: key.keyId, json: key.text });
  unit.wake({ kind: 'remote-keys-kept', userNids: [user] });
}

/** Those who share a room with the user are told. */
export function writeNews(unit: UnitBuilder, user: number, pos: number): void {
  unit.run(setDeviceChange, { user, pos });
  unit.wake({ kind: 'remote-device-list', userNid: user, pos });
}

export function writeStale(unit: UnitBuilder, users: readonly number[], pos: number): void {
  unit.run(markStale, { users, pos });
  unit.wake({ kind: 'remote-keys-kept', userNids: users });
}

export function writeForgotten(unit: UnitBuilder, users: readonly number[]): void {
  unit.run(deleteRemoteLists, { users });
  unit.run(deleteRemoteDevicesOf, { users });
  unit.run(deleteRemoteCrossSigningKeys, { users });
  unit.wake({ kind: 'remote-keys-kept', userNids: users });
}

/** Whoever shares no room any more is forgotten, whatever else was to be written. */
export async function unlessForgotten({ committed }: UnitTicket): Promise<void> {
  try {
    await committed;
  } catch (error) {
    if (!(error instanceof UnitFailed && error.cause instanceof UnexpectedChanges)) throw error;
  }
}
