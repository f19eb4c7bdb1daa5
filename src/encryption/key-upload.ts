/** What a device uploads, checked and in the form in which it is stored. */
import { badJson, invalidParam, tooLarge } from '../matrix/errors.ts';
import { parseKeyId } from '../matrix/ids/opaque-id.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { areSignatures } from './cross-signing-key.ts';
import { storedText } from './stored-text.ts';

/** Whose keys these are. */
export interface KeyOwner {
  readonly userId: string;
  readonly userNid: number;
  readonly deviceId: string;
  readonly deviceNid: number;
}

/** As it came. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload */
export interface KeyUploadRequest {
  readonly deviceKeys: JsonObject | undefined;
  readonly oneTimeKeys: JsonObject | undefined;
  readonly fallbackKeys: JsonObject | undefined;
}

export interface KeyUpload {
  /** JSON text. */
  readonly deviceKeys: string | undefined;
  readonly oneTimeKeys: readonly NamedKey[];
  /** One of each algorithm. */
  readonly fallbackKeys: readonly NamedKey[];
}
/** A key that is named `<algorithm>:<keyId>`. */
export interface NamedKey {
  readonly algorithm: string;
  readonly keyId: string;
  /** JSON text. */
  readonly json: string;
}

/** Throws 400 M_BAD_JSON or M_INVALID_PARAM, 413 M_TOO_LARGE. */
export function parseKeyUpload(owner: Pick<KeyOwner, 'userId' | 'deviceId'>, request: KeyUploadRequest): KeyUpload {
  const oneTimeKeys = namedKeys(request.oneTimeKeys ?? {}, 'one_time_keys');
  const fallbackKeys = namedKeys(request.fallbackKeys ?? {}, 'fallback_keys');
  if (oneTimeKeys.length > limits.oneTimeKeysMax) throw tooManyOneTimeKeys();
  if (fallbackKeys.length > limits.fallbackKeysMax) throw tooLarge('There are too many fallback keys');
  if (new Set(fallbackKeys.map(({ algorithm }) => algorithm)).size < fallbackKeys.length)
    throw invalidParam('There can be one fallback key of each algorithm');
  const { deviceKeys } = request;
  return {
    deviceKeys: deviceKeys && parseDeviceKeys(owner, deviceKeys),
    oneTimeKeys,
    fallbackKeys,
  };
}

/** As they are stored. Throws 400 M_BAD_JSON or M_INVALID_PARAM, 413 M_TOO_LARGE. */
export function parseDeviceKeys(owner: Pick<KeyOwner, 'userId' | 'deviceId'>, deviceKeys: JsonObject): string {
  checkDeviceKeys(owner, deviceKeys);
  return storedText(deviceKeys, limits.deviceKeysBytesMax, 'device_keys');
}

export const tooManyOneTimeKeys = () => tooLarge(`A device can have ${limits.oneTimeKeysMax} one-time keys at most`);

function checkDeviceKeys(owner: Pick<KeyOwner, 'userId' | 'deviceId'>, deviceKeys: JsonObject): void {
  const { user_id: userId, device_id: deviceId, algorithms, keys, signatures } = deviceKeys;
  if (!Array.isArray(algorithms) || !algorithms.every((name) => typeof name === 'string'))
    throw badJson('device_keys.algorithms must be a list of strings');
  if (!isJsonObject(keys) || !Object.values(keys).every((key) => typeof key === 'string'))
    throw badJson('device_keys.keys must be an object of strings');
  if (!areSignatures(signatures)) throw badJson('device_keys.signatures must be signatures by user and key');
  if (typeof userId !== 'string' || typeof deviceId !== 'string') throw badJson('device_keys must say whose they are');
  if (userId !== owner.userId || deviceId !== owner.deviceId)
    throw invalidParam('device_keys must be of the user and the device that upload them');
}

function namedKeys(keys: JsonObject, what: string): NamedKey[] {
  return Object.entries(keys).map(([name, key]) => {
    const { algorithm, name: keyId } = parseKeyId(name) ?? { algorithm: '', name: '' };
    if (!keyName.test(name) || algorithm === '' || keyId === '')
      throw invalidParam(`A name in ${what} is not <algorithm>:<key_id>`);
    if (typeof key !== 'string' && !isJsonObject(key)) throw badJson(`A key in ${what} is neither text nor an object`);
    // Written as it came: there are many, and nobody but the device's peers will read them.
    const json = JSON.stringify(key);
    if (Buffer.byteLength(json) > limits.oneTimeKeyBytesMax)
      throw tooLarge(`A key in ${what} must be at most ${limits.oneTimeKeyBytesMax} bytes long`);
    return { algorithm, keyId, json };
  });
}

const keyName = /^[\x21-\x7e]{3,255}$/;
