/** POST /keys/claim. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim */
import type { UserId } from '../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { claimFallbackKeys, claimOneTimeKeys } from '../storage/stores/device-key-store.ts';
import type { EncryptionContext } from './context.ts';
import { askServers, failuresText, memberOf, remoteTimeoutMs, splitByServer } from './remote-users.ts';

type Claiming = Pick<EncryptionContext, 'db' | 'names' | 'localServers' | 'knownKeys'>;

/** A user, and algorithms by the ids of their devices. */
export type KeyClaim = readonly [userId: UserId, algorithms: Readonly<Record<string, string>>];

/** A wish for a key of one device. */
interface Claim {
  readonly userId: UserId;
  readonly userNid: number;
  readonly deviceId: string;
  readonly deviceNid: number;
}

/**
 * Gives out one key of each device and algorithm that is asked for: the oldest one-time key, which is gone for ever when
 * this resolves, or the fallback key. Other servers are asked for keys of their users and have `timeoutMs`. What there is not is
 * left out of the answer, which is JSON text.
 */
export async function claimKeys(
  ctx: Claiming & Pick<EncryptionContext, 'remoteKeys'>,
  wanted: readonly KeyClaim[],
  timeoutMs?: number,
): Promise<string> {
  const { local, remote } = splitByServer(ctx, wanted);
  const [users, { answers, failed }] = await Promise.all([
    claimLocalKeys(ctx, local),
    askServers(remote, async (server, claims) => {
      const answer = await ctx.remoteKeys.claim(server, Object.fromEntries(claims), remoteTimeoutMs(timeoutMs));
      return answer && claims.flatMap((claim) => claimedInAnswer(answer, claim));
    }),
  ]);
  return `{"one_time_keys":{${[...users, ...answers.flat()].join()}},"failures":${failuresText(failed)}}`;
}

/** Of users of ours: members of `one_time_keys`, as JSON text. */
export async function claimLocalKeys(ctx: Claiming, wanted: readonly KeyClaim[]): Promise<readonly string[]> {
  const claims = await claimsByAlgorithm(ctx, wanted);
  const claimed = claims.size === 0 ? [] : await takeKeys(ctx, claims);
  const byUser = Map.groupBy(claimed, ({ claim }) => claim.userId);
  return Array.from(byUser, ([userId, keys]) => {
    const devices = keys.map(({ claim, name, json }) => `${JSON.stringify(claim.deviceId)}:{${name}:${json}}`);
    return `${JSON.stringify(userId)}:{${devices.join()}}`;
  });
}

/** Only keys of the devices and algorithms that were asked for. The user's member of `one_time_keys`, as JSON text. */
function claimedInAnswer(answer: JsonObject, [userId, algorithms]: KeyClaim): string[] {
  const given = memberOf(answer['one_time_keys'], userId);
  const devices = Object.entries(algorithms).flatMap(([deviceId, algorithm]) => {
    const keys = Object.entries(memberOf(given, deviceId) ?? {});
    const [name, key] = keys.find(([keyId]) => keyId.startsWith(`${algorithm}:`)) ?? [];
    if (name === undefined || (typeof key !== 'string' && !isJsonObject(key))) return [];
    const json = JSON.stringify(key);
    if (Buffer.byteLength(name) > 255 || Buffer.byteLength(json) > limits.oneTimeKeyBytesMax) return [];
    return [`${JSON.stringify(deviceId)}:{${JSON.stringify(name)}:${json}}`];
  });
  return devices.length === 0 ? [] : [`${JSON.stringify(userId)}:{${devices.join()}}`];
}

async function claimsByAlgorithm(ctx: Claiming, wanted: readonly KeyClaim[]): Promise<Map<string, Claim[]>> {
  const claims = new Map<string, Claim[]>();
  const userNids = await ctx.names.findUserNids(wanted.map(([userId]) => userId));
  const keys = await ctx.knownKeys.of(userNids.filter((nid) => nid !== undefined));
  for (const [index, [userId, algorithms]] of wanted.entries()) {
    const userNid = userNids[index] ?? 0;
    const devices = keys.get(userNid)?.devices;
    for (const [deviceId, algorithm] of Object.entries(algorithms)) {
      const device = devices?.get(deviceId);
      if (device === undefined) continue;
      const ofAlgorithm = claims.get(algorithm) ?? [];
      claims.set(algorithm, ofAlgorithm);
      ofAlgorithm.push({ userId, userNid, deviceId, deviceNid: device.deviceNid });
    }
  }
  return claims;
}

interface Claimed {
  readonly claim: Claim;
  /** JSON text of the key's name. */
  readonly name: string;
  readonly json: string;
}

/** One unit: a one-time key is answered only when its deletion is on disk. */
async function takeKeys(ctx: Claiming, claims: ReadonlyMap<string, readonly Claim[]>): Promise<Claimed[]> {
  const { rows } = await ctx.db.write((unit) => {
    const pos = unit.nextPos();
    for (const [algorithm, wishes] of claims) {
      const deviceNids = wishes.map(({ deviceNid }) => deviceNid);
      // First, while it can still be told which devices have no one-time key.
      unit.run(claimFallbackKeys, { devices: deviceNids, algorithm });
      unit.run(claimOneTimeKeys, { devices: JSON.stringify(deviceNids.map((nid) => [nid])), algorithm });
      unit.wake({ kind: 'one-time-keys', deviceNids });
      for (const { userNid, deviceNid } of wishes) unit.wake({ kind: 'key-claimed', userNid, deviceNid, pos });
    }
  }).committed;
  return Array.from(claims, ([algorithm, wishes], index) => {
    const byDevice = new Map(wishes.map((claim) => [claim.deviceNid, claim]));
    const keys = [...(rows[2 * index] ?? []), ...(rows[2 * index + 1] ?? [])];
    return keys.flatMap(({ device_nid: device, key_id: keyId, json }) => {
      const claim = byDevice.get(Number(device));
      const name = JSON.stringify(`${algorithm}:${String(keyId)}`);
      return claim === undefined ? [] : [{ claim, name, json: String(json) }];
    });
  }).flat();
}
