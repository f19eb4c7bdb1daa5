/** What other servers may know of the keys of our users. https://spec.matrix.org/v1.19/server-server-api/#end-to-end-encryption */
import { notFound } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { deviceChangesOf } from '../storage/stores/device-change-store.ts';
import { claimLocalKeys, type KeyClaim } from './claim-keys.ts';
import type { EncryptionContext } from './context.ts';
import type { DeviceKeysTold } from './key-edus.ts';
import { answerText, type KeyQuery } from './query-keys.ts';
import { splitByServer } from './remote-users.ts';
import { UserKeys } from './user-keys.ts';

type Answering = Pick<EncryptionContext, 'db' | 'names' | 'localServers' | 'knownKeys' | 'tellsDeviceNames'>;

/**
 * Bytes of JSON. Users of other servers are left out; who is ours is answered for, with an empty object where there are no keys.
 * https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery
 */
export async function queryKeysForServer(ctx: Answering, wanted: readonly KeyQuery[]): Promise<Buffer> {
  const { local } = splitByServer(ctx, wanted);
  const userNids = await ctx.names.findUserNids(local.map(([userId]) => userId));
  const keys = await ctx.knownKeys.of(userNids.filter((nid) => nid !== undefined));
  const found = local.map(([userId, deviceIds], index) => ({
    userId,
    deviceIds,
    keys: told(ctx, keys.get(userNids[index] ?? 0)),
  }));
  return answerText(found);
}

/**
 * JSON text. https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim
 */
export async function claimKeysForServer(ctx: Answering, wanted: readonly KeyClaim[]): Promise<string> {
  const users = await claimLocalKeys(ctx, splitByServer(ctx, wanted).local);
  return `{"one_time_keys":{${users.join()}}}`;
}

/**
 * The devices of a user of ours that have keys, as JSON text. Throws 404 M_NOT_FOUND.
 * https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid
 */
export async function userDevices(ctx: Answering, userId: UserId): Promise<string> {
  const { local } = splitByServer(ctx, [[userId, undefined]]);
  const userNid = local.length === 0 ? undefined : await ctx.names.findUserNid(userId);
  if (userNid === undefined) throw notFound('There is no such user here');
  // In this order, so that a change in between is told of again rather than missed.
  const [change] = await ctx.db.all(deviceChangesOf, { users: [userNid] });
  const keys = told(ctx, (await ctx.knownKeys.of([userNid])).get(userNid));
  return userDevicesText(userId, change?.stream_id ?? 0, keys);
}

/** What other servers may see of it. */
function told({ tellsDeviceNames }: Answering, keys: UserKeys | undefined): UserKeys | undefined {
  if (keys === undefined || tellsDeviceNames) return keys;
  const known = unnamed.get(keys);
  if (known !== undefined) return known;
  const devices = new Map(
    Array.from(keys.devices, ([id, device]) => [id, { ...device, text: withoutName(device.text) }]),
  );
  const made = new UserKeys(devices, keys.crossSigning);
  unnamed.set(keys, made);
  return made;
}
const unnamed = new WeakMap<UserKeys, UserKeys>();

function withoutName(text: string | undefined): string | undefined {
  return text && JSON.stringify({ ...(JSON.parse(text) as DeviceKeysTold), unsigned: {} });
}

function userDevicesText(userId: UserId, streamId: number, keys: UserKeys | undefined): string {
  const devices: string[] = [];
  for (const [deviceId, { text }] of keys?.devices ?? []) {
    if (text === undefined) continue;
    const { unsigned } = JSON.parse(text) as DeviceKeysTold;
    const { device_display_name: name } = unsigned;
    const named = name === undefined ? '' : `,"device_display_name":${JSON.stringify(name)}`;
    devices.push(`{"device_id":${JSON.stringify(deviceId)},"keys":${text}${named}}`);
  }
  const [master, selfSigning] = [keys?.crossSigning.get('master'), keys?.crossSigning.get('self_signing')];
  return (
    `{"user_id":${JSON.stringify(userId)},"stream_id":${streamId},"devices":[${devices.join()}]` +
    (master === undefined ? '' : `,"master_key":${master.text}`) +
    (selfSigning === undefined ? '}' : `,"self_signing_key":${selfSigning.text}}`)
  );
}
