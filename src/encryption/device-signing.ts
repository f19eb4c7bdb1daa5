/** POST /keys/device_signing/upload. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload */
import type { Requester } from '../accounts/requester.ts';
import { forbidden, MatrixError, missingParam } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { verifySignedJson } from '../matrix/json/signed-json.ts';
import type { UnitBuilder } from '../storage/database.ts';
import {
  type CrossSigningKeyRow,
  crossSigningKeys,
  deleteOwnSignaturesBy,
  deleteSignaturesOf,
  deleteSignaturesOfOthers,
  setCrossSigningKey,
} from '../storage/stores/cross-signing-store.ts';
import { setDeviceChange } from '../storage/stores/device-change-store.ts';
import type { EncryptionContext } from './context.ts';
import { type CrossSigningKey, type CrossSigningUsage, parseCrossSigningKey } from './cross-signing-key.ts';
import { publicKeyOf } from './user-keys.ts';

type Uploading = Pick<EncryptionContext, 'db' | 'locks' | 'interactiveAuth' | 'knownKeys' | 'outgoingDevices'>;

export interface DeviceSigningRequest {
  readonly keys: Readonly<Partial<Record<CrossSigningUsage, JsonObject | undefined>>>;
  readonly auth: JsonObject | undefined;
}

/**
 * The user's cross-signing keys. Nothing must be confirmed for the first ones, or when nothing changes. Throws 400
 * M_INVALID_PARAM, M_INVALID_SIGNATURE or M_MISSING_PARAM (no master key), 403 M_FORBIDDEN when a key is the id of a
 * device, 401 while the password is missing.
 */
export async function uploadCrossSigningKeys(
  ctx: Uploading,
  requester: Requester,
  { keys: objects, auth }: DeviceSigningRequest,
): Promise<void> {
  const { userId, userNid } = requester;
  const given = usages.flatMap((usage) => {
    const object = objects[usage];
    return object === undefined ? [] : [parseCrossSigningKey(object, usage, userId)];
  });
  if (given.length === 0) throw missingParam('There is no key');
  const changes = await changesBy(ctx, userNid, given);
  const authorised = changes.mustBeConfirmed ? await confirm(ctx, requester, given, auth) : undefined;
  await ctx.locks.run(userNid, async () => {
    const { changed, stored, mustBeConfirmed } = await changesBy(ctx, userNid, given);
    // Another request was faster with the user's first keys.
    if (mustBeConfirmed && authorised === undefined) await confirm(ctx, requester, given, auth);
    if (changed.length === 0) return;
    await assertFree(ctx, userNid, changed);
    assertSigned(given, stored, userId);
    await ctx.db.write((unit) => writeKeys(ctx, unit, userNid, changed, stored)).committed;
  });
  authorised?.succeeded();
}

const usages: readonly CrossSigningUsage[] = ['master', 'self_signing', 'user_signing'];

interface Changes {
  readonly stored: readonly CrossSigningKeyRow[];
  readonly changed: readonly CrossSigningKey[];
  readonly mustBeConfirmed: boolean;
}

async function changesBy(
  ctx: Pick<Uploading, 'db'>,
  userNid: number,
  given: readonly CrossSigningKey[],
): Promise<Changes> {
  const stored = await ctx.db.all(crossSigningKeys, { users: [userNid] });
  const changed = given.filter((key) => stored.find(({ usage }) => usage === key.usage)?.json !== key.json);
  const hasMaster = stored.some(({ usage }) => usage === 'master');
  return { stored, changed, mustBeConfirmed: hasMaster && changed.some((key) => isNewKey(key, stored)) };
}

/** Other signatures alone make no new key. */
function isNewKey(key: CrossSigningKey, stored: readonly CrossSigningKeyRow[]): boolean {
  return stored.find(({ usage }) => usage === key.usage)?.key_id !== key.keyId;
}

function confirm(
  ctx: Pick<Uploading, 'interactiveAuth'>,
  requester: Requester,
  given: readonly CrossSigningKey[],
  auth: JsonObject | undefined,
) {
  const parameters = Object.fromEntries(given.map(({ usage, json }) => [usage, json]));
  return ctx.interactiveAuth.authorise(
    { name: 'uploadCrossSigningKeys', parameters, requester, flows: [['m.login.password']] },
    auth,
  );
}

/** Devices and cross-signing keys are verified by the same names. */
async function assertFree(
  ctx: Pick<Uploading, 'knownKeys'>,
  userNid: number,
  keys: readonly CrossSigningKey[],
): Promise<void> {
  const devices = (await ctx.knownKeys.of([userNid])).get(userNid)?.devices;
  if (keys.some(({ keyId }) => devices?.has(publicKeyOf(keyId)) === true))
    throw forbidden('One of your devices has a key as its id');
}

/** The other keys must be signed by the master key. */
function assertSigned(given: readonly CrossSigningKey[], stored: readonly CrossSigningKeyRow[], userId: string): void {
  const master = given.find(({ usage }) => usage === 'master') ?? storedMaster(stored, userId);
  if (master === undefined) throw missingParam('There is no master key');
  for (const { usage, object } of given) {
    if (usage === 'master') continue;
    const findKey = (keyId: string) => (keyId === master.keyId ? master.verifyKey : undefined);
    if (!verifySignedJson(object, userId, findKey).ok)
      throw new MatrixError(400, 'M_INVALID_SIGNATURE', `The ${usage} key is not signed by the master key`);
  }
}

function storedMaster(stored: readonly CrossSigningKeyRow[], userId: string): CrossSigningKey | undefined {
  const row = stored.find(({ usage }) => usage === 'master');
  return row && parseCrossSigningKey(JSON.parse(row.json) as JsonObject, 'master', userId);
}

/** What replaced keys signed is worth nothing any more, and neither are signatures of a master key that was replaced. */
function writeKeys(
  { outgoingDevices }: Pick<Uploading, 'outgoingDevices'>,
  unit: UnitBuilder,
  user: number,
  changed: readonly CrossSigningKey[],
  stored: readonly CrossSigningKeyRow[],
): void {
  const replaced = stored.filter((row) => changed.some((key) => key.usage === row.usage && key.keyId !== row.key_id));
  const pos = unit.nextPos();
  if (replaced.length > 0) {
    unit.run(deleteSignaturesOf, { user, targets: replaced.map(({ key_id: keyId }) => publicKeyOf(keyId)) });
    unit.run(deleteOwnSignaturesBy, { user, keyIds: replaced.map(({ key_id: keyId }) => keyId) });
  }
  if (replaced.some(({ usage }) => usage === 'user_signing')) {
    unit.run(deleteSignaturesOfOthers, { signer: user });
    unit.wake({ kind: 'user-signatures', userNid: user, signed: [], pos });
  }
  for (const { usage, keyId, json } of changed) unit.run(setCrossSigningKey, { user, usage, keyId, json });
  unit.run(setDeviceChange, { user, pos });
  // Nobody else sees the key with which others are signed.
  if (changed.some(({ usage }) => usage !== 'user_signing')) outgoingDevices.signingKeysChanged(unit, user);
  unit.wake({ kind: 'device-list', userNid: user, pos });
}
