/** Keys of users of other servers, which are asked for them. */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import { serverNameOf } from '../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import { MatrixError } from '../matrix/errors.ts';
import { limits } from '../platform/limits.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import { Semaphore } from '../platform/semaphore.ts';
import { type CrossSigningUsage, parseCrossSigningKey } from './cross-signing-key.ts';
import { parseDeviceKeys } from './key-upload.ts';
import type { RemoteKeys } from './ports.ts';
import { type DeviceOfUser, type PublishedKey, UserKeys } from './user-keys.ts';

export interface ByServer<Wish> {
  readonly local: readonly Wish[];
  readonly remote: ReadonlyMap<ServerName, readonly Wish[]>;
}

/** What is wished of users, each with the user's id first. */
export function splitByServer<Wish extends readonly [UserId, unknown]>(
  { localServers }: { readonly localServers: LocalServers },
  wanted: readonly Wish[],
): ByServer<Wish> {
  const local: Wish[] = [];
  const remote = new Map<ServerName, Wish[]>();
  for (const wish of wanted) {
    const server = serverNameOf(wish[0]);
    const ofServer = remote.get(server);
    if (localServers.isLocal(server)) local.push(wish);
    else if (ofServer === undefined) remote.set(server, [wish]);
    else ofServer.push(wish);
  }
  return { local, remote };
}

/** Asks many servers, some at a time. Those of which there is no answer are `failed`. */
export async function askServers<Wish, Answer>(
  remote: ReadonlyMap<ServerName, readonly Wish[]>,
  ask: (server: ServerName, wishes: readonly Wish[]) => Promise<Answer | undefined>,
): Promise<{ readonly answers: readonly Answer[]; readonly failed: readonly ServerName[] }> {
  const turns = new Semaphore(limits.remoteKeyServersAtOnceMax, Infinity);
  const answers: Answer[] = [];
  const failed: ServerName[] = [];
  await Promise.all(
    Array.from(remote, ([server, wishes]) =>
      turns.run(async () => {
        const answer = await ask(server, wishes);
        if (answer === undefined) failed.push(server);
        else answers.push(answer);
      }),
    ),
  );
  return { answers, failed };
}

/** How long clients may let us wait for other servers, from what they say. */
export const remoteTimeoutMs = (wantedMs: number | undefined): number =>
  Math.min(Math.max(wantedMs ?? limits.remoteKeysTimeoutMs, 1), limits.remoteKeysTimeoutMsMax);

/** JSON text of `failures`: the servers that could not be reached. */
export function failuresText(servers: readonly ServerName[]): string {
  const failures = servers.map((server) => [server, { errcode: 'M_UNKNOWN', error: 'The server cannot be reached' }]);
  return JSON.stringify(Object.fromEntries(failures));
}

export interface RemoteQuery {
  readonly userId: UserId;
  readonly keys: UserKeys;
}

/** The keys of users of other servers, as far as they are what they should be. Who has none has an entry. */
export async function queryRemoteKeys(
  { remoteKeys }: { readonly remoteKeys: RemoteKeys },
  remote: ReadonlyMap<ServerName, readonly (readonly [UserId, readonly string[]])[]>,
  timeoutMs: number,
): Promise<{ readonly found: readonly RemoteQuery[]; readonly failed: readonly ServerName[] }> {
  const { answers, failed } = await askServers(remote, async (server, wishes) => {
    const answer = await remoteKeys.query(server, Object.fromEntries(wishes), timeoutMs);
    return answer && wishes.map(([userId]) => ({ userId, keys: keysInAnswer(answer, userId) }));
  });
  return { found: answers.flat(), failed };
}

function keysInAnswer(answer: JsonObject, userId: UserId): UserKeys {
  const { device_keys: devices, master_keys: master, self_signing_keys: selfSigning } = answer;
  const objects = Object.entries(memberOf(devices, userId) ?? {});
  return remoteUserKeys(userId, objects, memberOf(master, userId), memberOf(selfSigning, userId));
}

/** Whatever is not the user's, or has not the right form, is left out. */
export function remoteUserKeys(
  userId: UserId,
  devices: readonly (readonly [deviceId: string, keys: JsonValue | undefined])[],
  master: JsonObject | undefined,
  selfSigning: JsonObject | undefined,
): UserKeys {
  const byId = new Map<string, DeviceOfUser>();
  for (const [deviceId, object] of devices.slice(0, limits.remoteDevicesPerUserMax)) {
    const text = isJsonObject(object) ? remoteDeviceText(userId, deviceId, object) : undefined;
    if (text !== undefined) byId.set(deviceId, { deviceNid: 0, text });
  }
  const crossSigning = new Map<CrossSigningUsage, PublishedKey>();
  for (const [usage, object] of [
    ['master', master],
    ['self_signing', selfSigning],
  ] as const) {
    const key = object && remoteCrossSigningKey(userId, usage, object);
    if (key !== undefined) crossSigning.set(usage, key);
  }
  return new UserKeys(byId, crossSigning);
}

/** As it is answered. undefined: these are no keys of that device. `displayName`: where it is not in the keys themselves. */
export function remoteDeviceText(
  userId: UserId,
  deviceId: string,
  object: JsonObject,
  displayName?: JsonValue,
): string | undefined {
  const keys = orNothing(() => parseDeviceKeys({ userId, deviceId }, object));
  if (keys === undefined || !isStorableId(deviceId)) return undefined;
  const { device_display_name: told } = isJsonObject(object['unsigned']) ? object['unsigned'] : {};
  const name = displayName ?? told;
  const isName = typeof name === 'string' && Buffer.byteLength(name) <= limits.remoteDeviceNameBytesMax;
  const unsigned = isName ? { device_display_name: name } : {};
  return `${keys.slice(0, -1)},"unsigned":${JSON.stringify(unsigned)}}`;
}

/** undefined: it is no such key of the user. */
export function remoteCrossSigningKey(
  userId: UserId,
  usage: 'master' | 'self_signing',
  object: JsonObject,
): PublishedKey | undefined {
  const key = orNothing(() => parseCrossSigningKey(object, usage, userId));
  return key && { keyId: key.keyId, text: key.json };
}

/** Whether another server's device can have this id here. */
export const isStorableId = (deviceId: string): boolean =>
  deviceId !== '' && Buffer.byteLength(deviceId) <= limits.remoteDeviceIdBytesMax && !deviceId.includes('\0');

function orNothing<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

/** The member of that name if both are objects. */
export function memberOf(object: JsonValue | undefined, name: string): JsonObject | undefined {
  const value = isJsonObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
  return isJsonObject(value) ? value : undefined;
}
