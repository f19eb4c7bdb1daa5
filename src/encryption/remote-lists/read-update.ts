/** What other servers tell of the keys of their users, read. */
import type { ServerName, UserId } from '../../matrix/ids/ids.ts';
import { isUserId, serverNameOf } from '../../matrix/ids/user-id.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { isRawNumber } from '../../matrix/json/raw-number.ts';
import { limits } from '../../platform/limits.ts';
import { isStorableId, memberOf, remoteCrossSigningKey, remoteDeviceText, remoteUserKeys } from '../remote-users.ts';
import type { PublishedKey, UserKeys } from '../user-keys.ts';
import type { DeviceListUpdate } from './list-update.ts';

export interface ToldUpdate extends DeviceListUpdate {
  readonly userId: UserId;
  /** Otherwise it only says that there is a device without keys. */
  readonly isAboutKeys: boolean;
}

/**
 * The content of an m.device_list_update, with exact numbers; undefined: it is none, or not of a user of the origin.
 * https://spec.matrix.org/v1.19/server-server-api/#definition-mdevice_list_update
 */
export function readDeviceListUpdate(origin: ServerName, content: JsonObject): ToldUpdate | undefined {
  const {
    user_id: userId,
    device_id: deviceId,
    stream_id,
    prev_id,
    deleted,
    keys,
    device_display_name: name,
  } = content;
  if (!isUserOf(origin, userId) || typeof deviceId !== 'string' || !isStorableId(deviceId)) return undefined;
  const isDeleted = deleted === true;
  const given = !isDeleted && isJsonObject(keys) && !isRawNumber(keys) ? plain(keys) : undefined;
  return {
    userId,
    deviceId,
    streamId: streamIdOf(stream_id),
    prevIds: prevIdsOf(prev_id ?? []),
    text: given && remoteDeviceText(userId, deviceId, given, name),
    isAboutKeys: isDeleted || given !== undefined,
  };
}

export interface ToldSigningKeys {
  readonly userId: UserId;
  /** undefined: nothing is said of it. */
  readonly master: PublishedKey | undefined;
  readonly selfSigning: PublishedKey | undefined;
  /** Something in it is no key of the user. */
  readonly isBroken: boolean;
}

/** https://spec.matrix.org/v1.19/server-server-api/#definition-msigning_key_update */
export function readSigningKeyUpdate(origin: ServerName, content: JsonObject): ToldSigningKeys | undefined {
  const { user_id: userId } = content;
  if (!isUserOf(origin, userId)) return undefined;
  const told = plain(content);
  const keyIn = (name: string, usage: 'master' | 'self_signing') => {
    const object = memberOf(told, name);
    return object && remoteCrossSigningKey(userId, usage, object);
  };
  const [master, selfSigning] = [keyIn('master_key', 'master'), keyIn('self_signing_key', 'self_signing')];
  const isBroken =
    (told['master_key'] !== undefined && master === undefined) ||
    (told['self_signing_key'] !== undefined && selfSigning === undefined);
  return { userId, master, selfSigning, isBroken };
}

export interface ToldList {
  readonly streamId: number;
  readonly keys: UserKeys;
}

/**
 * An answer to GET /user/devices; undefined: it is none. Devices whose keys are none are left out.
 * https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid
 */
export function readUserDevices(userId: UserId, answer: JsonObject): ToldList | undefined {
  const { user_id: owner, stream_id, devices } = answer;
  const streamId = streamIdOf(stream_id);
  if (owner !== userId || streamId === undefined || !Array.isArray(devices)) return undefined;
  if (devices.length > limits.remoteDevicesPerUserMax) return undefined;
  const objects = devices.flatMap((device: JsonValue) => {
    if (!isJsonObject(device)) return [];
    const { device_id: deviceId, keys, device_display_name: name } = device;
    if (typeof deviceId !== 'string' || !isJsonObject(keys)) return [];
    const unsigned = name === undefined ? keys['unsigned'] : { device_display_name: name };
    return [[deviceId, { ...keys, ...(unsigned === undefined ? {} : { unsigned }) }] as const];
  });
  const keys = remoteUserKeys(userId, objects, memberOf(answer, 'master_key'), memberOf(answer, 'self_signing_key'));
  return isBounded(Array.from(keys.devices.values(), ({ text }) => text ?? '')) ? { streamId, keys } : undefined;
}

/** Whether texts of devices may be kept for one user. */
export function isBounded(texts: readonly string[]): boolean {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return texts.length <= limits.remoteDevicesPerUserMax && bytes <= limits.remoteDeviceListBytesMax;
}

const isUserOf = (origin: ServerName, userId: JsonValue | undefined): userId is UserId =>
  isUserId(userId) && serverNameOf(userId) === origin;

function streamIdOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function prevIdsOf(value: JsonValue): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length > prevIdsMax) return undefined;
  const ids = value.map(streamIdOf);
  return ids.includes(undefined) ? undefined : ids.filter((id) => id !== undefined);
}

/** With numbers as everybody writes them. */
const plain = (object: JsonObject): JsonObject => JSON.parse(legacyCanonicalJson(object)) as JsonObject;

const prevIdsMax = 100;
