/** POST /keys/upload. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload */
import { isDeepStrictEqual } from 'node:util';
import { unknownToken } from '../accounts/access-tokens.ts';
import { isUnexpectedChange } from '../accounts/sessions.ts';
import { invalidParam } from '../matrix/errors.ts';
import { limits } from '../platform/limits.ts';
import { type UnitBuilder, UniqueViolation, UnitFailed } from '../storage/database.ts';
import { deleteSignaturesOf } from '../storage/stores/cross-signing-store.ts';
import { setDeviceChange } from '../storage/stores/device-change-store.ts';
import {
  deviceKeysOf,
  insertOneTimeKeys,
  type OneTimeKeyTuple,
  oneTimeKeysWithIds,
  setDeviceKeys,
  setFallbackKeys,
} from '../storage/stores/device-key-store.ts';
import type { EncryptionContext } from './context.ts';
import type { DeviceKeyCounts } from './key-counts.ts';
import {
  type KeyOwner,
  type KeyUpload,
  type KeyUploadRequest,
  type NamedKey,
  parseKeyUpload,
  tooManyOneTimeKeys,
} from './key-upload.ts';

type Uploading = Pick<EncryptionContext, 'db' | 'locks' | 'keyCounts' | 'outgoingDevices'>;

/**
 * Keys that are there already are passed over, so that a client can repeat itself. Resolves when the keys are on disk, with
 * what there is now. Throws 400 M_BAD_JSON or M_INVALID_PARAM (also for another one-time key under a known id),
 * 413 M_TOO_LARGE, 401 M_UNKNOWN_TOKEN when the device was deleted meanwhile.
 */
export async function uploadKeys(
  ctx: Uploading,
  owner: KeyOwner,
  request: KeyUploadRequest,
): Promise<Pick<DeviceKeyCounts, 'oneTimeKeys'>> {
  const upload = parseKeyUpload(owner, request);
  return ctx.locks.run(owner.userNid, async () => {
    const draft = await draftKeyUpload(ctx, owner, upload);
    // Nearly always all one-time keys are new, so that it is tried before it is asked.
    if (draft !== undefined && (await writeNow(ctx, draft)) === 'known-ids') {
      const oneTimeKeys = await newOneTimeKeys(ctx, owner.deviceNid, upload.oneTimeKeys);
      const rest = await draftKeyUpload(ctx, owner, { ...upload, oneTimeKeys });
      if (rest !== undefined) await writeNow(ctx, rest);
    }
    return ctx.keyCounts.of(owner.deviceNid);
  });
}

export interface KeyUploadDraft {
  /**
   * The unit fails with UnexpectedChanges when the device does not exist, and with UniqueViolation when it has a one-time key
   * under one of the ids.
   */
  write(unit: UnitBuilder): void;
}

/**
 * An upload, for units that do more than that; undefined: there is nothing to write. To be called and written while the
 * user's lock is held. Throws 400 M_INVALID_PARAM for another one-time key under a known id, 413 M_TOO_LARGE.
 */
export async function draftKeyUpload(
  ctx: Pick<EncryptionContext, 'db' | 'keyCounts' | 'outgoingDevices'>,
  owner: KeyOwner,
  upload: KeyUpload,
): Promise<KeyUploadDraft | undefined> {
  const { deviceNid: device, userNid: user, deviceId } = owner;
  const { deviceKeys: json, fallbackKeys } = upload;
  const oneTimeKeys = await withinLimit(ctx, device, upload.oneTimeKeys);
  const stored = json === undefined ? undefined : await ctx.db.one(deviceKeysOf, { user, device });
  const hasNewIdentity = json !== undefined && stored?.json !== json;
  if (!hasNewIdentity && oneTimeKeys.length === 0 && fallbackKeys.length === 0) return undefined;
  return {
    write(unit) {
      if (hasNewIdentity) {
        const pos = unit.nextPos();
        unit.run(setDeviceKeys, { device, json }, { changes: 1 });
        // They were made of the keys that are replaced.
        if (stored !== undefined) unit.run(deleteSignaturesOf, { user, targets: [deviceId] });
        unit.run(setDeviceChange, { user, pos });
        ctx.outgoingDevices.devicesChanged(unit, user, [deviceId]);
        unit.wake({ kind: 'device-list', userNid: user, pos });
      }
      if (oneTimeKeys.length > 0) {
        const rows: OneTimeKeyTuple[] = oneTimeKeys.map((key) => [key.algorithm, ctx.db.nextId(), key.keyId, key.json]);
        unit.run(insertOneTimeKeys, { device, rows: JSON.stringify(rows) }, { changes: rows.length });
      }
      if (fallbackKeys.length > 0) {
        const rows = fallbackKeys.map((key) => [key.algorithm, key.keyId, key.json]);
        unit.run(setFallbackKeys, { device, rows: JSON.stringify(rows) }, { changes: rows.length });
      }
      unit.wake({ kind: 'one-time-keys', deviceNids: [device] });
    },
  };
}

/** Some of them may be there already, and count once. */
async function withinLimit(
  ctx: Pick<EncryptionContext, 'db' | 'keyCounts'>,
  device: number,
  keys: readonly NamedKey[],
): Promise<readonly NamedKey[]> {
  if (keys.length === 0) return keys;
  const { oneTimeKeys } = await ctx.keyCounts.of(device);
  const before = Object.values(oneTimeKeys).reduce((sum, count) => sum + count, 0);
  if (before + keys.length <= limits.oneTimeKeysMax) return keys;
  const added = await newOneTimeKeys(ctx, device, keys);
  if (before + added.length > limits.oneTimeKeysMax) throw tooManyOneTimeKeys();
  return added;
}

async function newOneTimeKeys(
  ctx: Pick<EncryptionContext, 'db'>,
  device: number,
  keys: readonly NamedKey[],
): Promise<readonly NamedKey[]> {
  const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))];
  const rows = await ctx.db.all(oneTimeKeysWithIds, { device, algorithms, keyIds: keys.map(({ keyId }) => keyId) });
  const stored = new Map(rows.map(({ algorithm, key_id: keyId, json }) => [`${algorithm}:${keyId}`, json]));
  return keys.filter(({ algorithm, keyId, json }) => {
    const name = `${algorithm}:${keyId}`;
    const before = stored.get(name);
    if (before !== undefined && !isSameJson(before, json)) throw invalidParam(`There is another one-time key ${name}`);
    return before === undefined;
  });
}

/** One-time keys are stored with their members in the order in which they came. */
function isSameJson(one: string, other: string): boolean {
  return one === other || isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
}

async function writeNow(ctx: Pick<EncryptionContext, 'db'>, draft: KeyUploadDraft): Promise<'written' | 'known-ids'> {
  try {
    await ctx.db.write((unit) => draft.write(unit)).committed;
    return 'written';
  } catch (error) {
    if (error instanceof UnitFailed && error.cause instanceof UniqueViolation) return 'known-ids';
    throw isUnexpectedChange(error) ? unknownToken(false) : error;
  }
}
