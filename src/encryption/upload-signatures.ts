/** POST /keys/signatures/upload. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload */
import { type VerifyKey, verifyKeyFromBase64 } from '../matrix/crypto/ed25519.ts';
import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { signableText, verifySignedText } from '../matrix/json/signed-json.ts';
import { limits } from '../platform/limits.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { setKeySignature } from '../storage/stores/cross-signing-store.ts';
import { setDeviceChange } from '../storage/stores/device-change-store.ts';
import type { EncryptionContext } from './context.ts';
import { areSignatures } from './cross-signing-key.ts';
import { remoteKeysOf } from './remote-lists/remote-keys-of.ts';
import { remoteTimeoutMs, splitByServer } from './remote-users.ts';
import { storedText } from './stored-text.ts';
import { publicKeyOf, type UserKeys } from './user-keys.ts';

type Signing = Pick<
  EncryptionContext,
  'db' | 'names' | 'locks' | 'knownKeys' | 'localServers' | 'remoteKeys' | 'remoteLists' | 'outgoingDevices'
>;
interface Signer {
  readonly userId: UserId;
  readonly userNid: number;
}

/** A user, and signed keys by device id or public key. */
export type SignedKeys = readonly [userId: UserId, keys: Readonly<Record<string, JsonObject>>];

/** What is to be stored of one signed key. */
interface NewSignatures {
  readonly userNid: number;
  readonly target: string;
  /** Otherwise it is a master key. */
  readonly isDevice: boolean;
  readonly signatures: readonly (readonly [keyId: string, signature: string])[];
}

/**
 * Signatures that the user made of their own devices and master key, and of other users' master keys. Gives the failures by
 * user and key; what did not fail is on disk.
 */
export async function uploadSignatures(
  ctx: Signing,
  signer: Signer,
  signed: readonly SignedKeys[],
): Promise<JsonObject> {
  const { remote } = splitByServer(ctx, signed);
  const queries = new Map(Array.from(remote, ([server, keys]) => [server, keys.map(([id]) => [id, []] as const)]));
  const { found } = await remoteKeysOf(ctx, queries, remoteTimeoutMs(undefined));
  const remoteKeys = new Map(found.map(({ userId, keys }) => [userId, keys]));
  return ctx.locks.run(signer.userNid, async () => {
    const failures: Record<string, Record<string, JsonObject>> = {};
    const accepted: NewSignatures[] = [];
    const own = (await ctx.knownKeys.of([signer.userNid])).get(signer.userNid);
    const ownKeys = signingKeysOf(own);
    const signedBefore = await ctx.knownKeys.signedBy(signer.userNid);
    for (const [userId, keys] of signed) {
      const ofRemote = remoteKeys.get(userId);
      const userNid = ofRemote === undefined ? await ctx.names.findUserNid(userId) : await ctx.names.userNid(userId);
      const known = ofRemote ?? (userNid === undefined ? undefined : (await ctx.knownKeys.of([userNid])).get(userNid));
      for (const [target, object] of Object.entries(keys)) {
        try {
          const earlier = signedBefore.get(userNid ?? 0)?.get(target) ?? {};
          const wish = { target, object, isOwn: userNid === signer.userNid, earlier };
          const signatures = newSignatures(signer.userId, ownKeys, known, wish);
          if (signatures.length > 0)
            accepted.push({ userNid: userNid ?? 0, target, isDevice: known?.devices.has(target) === true, signatures });
        } catch (error) {
          if (!(error instanceof MatrixError)) throw error;
          (failures[userId] ??= {})[target] = error.body();
        }
      }
    }
    if (accepted.length > 0) await store(ctx, signer.userNid, accepted);
    return { failures };
  });
}

/** The keys with which a user signs, by their ids, and what each may sign. */
interface SigningKeys {
  readonly devices: ReadonlyMap<string, VerifyKey>;
  readonly selfSigning: ReadonlyMap<string, VerifyKey>;
  readonly userSigning: ReadonlyMap<string, VerifyKey>;
}

function signingKeysOf(own: UserKeys | undefined): SigningKeys {
  const devices = new Map<string, VerifyKey>();
  for (const [deviceId, { text }] of own?.devices ?? []) {
    const keys = text === undefined ? undefined : (JSON.parse(text) as JsonObject)['keys'];
    const key = isJsonObject(keys) ? keys[`ed25519:${deviceId}`] : undefined;
    const verifyKey = typeof key === 'string' ? verifyKeyFromBase64(key) : undefined;
    if (verifyKey !== undefined) devices.set(`ed25519:${deviceId}`, verifyKey);
  }
  const crossSigning = (usage: 'self_signing' | 'user_signing') => {
    const keyId = own?.crossSigning.get(usage)?.keyId;
    const verifyKey = keyId === undefined ? undefined : verifyKeyFromBase64(publicKeyOf(keyId));
    return new Map(keyId === undefined || verifyKey === undefined ? [] : [[keyId, verifyKey]]);
  };
  return { devices, selfSigning: crossSigning('self_signing'), userSigning: crossSigning('user_signing') };
}

interface Wish {
  readonly target: string;
  readonly object: JsonObject;
  readonly isOwn: boolean;
  /** What the signer alone sees. */
  readonly earlier: Readonly<Record<string, string>>;
}

/** Those that are not there already. Throws 404 M_NOT_FOUND, 400 M_INVALID_SIGNATURE, 413 M_TOO_LARGE. */
function newSignatures(
  signerId: UserId,
  keys: SigningKeys,
  known: UserKeys | undefined,
  { target, object, isOwn, earlier }: Wish,
): [keyId: string, signature: string][] {
  const master = known?.crossSigning.get('master');
  const isMaster = master !== undefined && publicKeyOf(master.keyId) === target;
  const text = isMaster ? master.text : isOwn ? known?.devices.get(target)?.text : undefined;
  if (text === undefined) throw new MatrixError(404, 'M_NOT_FOUND', 'There is no such key');
  const stored = JSON.parse(text) as JsonObject;
  const signatures = object['signatures'];
  if (!areSignatures(signatures)) throw invalidSignature('There is no signature');
  storedText(object, limits.deviceKeysBytesMax, 'A signed key');
  const signable = signableText(stored);
  if (signableText(object) !== signable) throw invalidSignature('The key is not the one that was uploaded');
  const signingKeys = isMaster ? (isOwn ? keys.devices : keys.userSigning) : keys.selfSigning;
  const given = Object.entries(Object.hasOwn(signatures, signerId) ? (signatures[signerId] ?? {}) : {});
  const before = { ...signaturesBy(stored, signerId), ...earlier };
  const added = given.filter(([keyId, signature]) => before[keyId] !== signature);
  // What is not known to the server may be known to clients: signatures by certificates, for example.
  const [checked, unknown] = [added.filter(isEd25519), added.filter((entry) => !isEd25519(entry))];
  if (given.length === 0) throw invalidSignature('You did not sign the key');
  if (
    checked.length > 0 &&
    !verifySignedText(signable, { [signerId]: Object.fromEntries(checked) }, signerId, (keyId) =>
      signingKeys.get(keyId),
    ).ok
  )
    throw invalidSignature('A signature is wrong, or by a key that cannot sign this');
  const good = checked.filter(([keyId]) => signingKeys.has(keyId));
  if (Object.keys(before).length + good.length + unknown.length > limits.keySignaturesMax)
    throw new MatrixError(413, 'M_TOO_LARGE', 'The key has too many signatures');
  return [...good, ...unknown];
}

const isEd25519 = ([keyId]: readonly [string, string]): boolean => keyId.startsWith('ed25519:');
const invalidSignature = (message: string) => new MatrixError(400, 'M_INVALID_SIGNATURE', message);

function signaturesBy(key: JsonObject, userId: UserId): Readonly<Record<string, string>> {
  const { signatures } = key;
  return areSignatures(signatures) && Object.hasOwn(signatures, userId) ? (signatures[userId] ?? {}) : {};
}

async function store(ctx: Signing, signer: number, accepted: readonly NewSignatures[]): Promise<void> {
  await ctx.db.write((unit) => {
    const pos = unit.nextPos();
    for (const { userNid: user, target, signatures } of accepted)
      for (const [keyId, signature] of signatures)
        unit.run(setKeySignature, { user, target, signer, keyId, signature, pos });
    const signed = new Set(accepted.map(({ userNid }) => userNid));
    if (signed.delete(signer)) {
      unit.run(setDeviceChange, { user: signer, pos });
      tellSigned(ctx, unit, signer, accepted);
      unit.wake({ kind: 'device-list', userNid: signer, pos });
    }
    if (signed.size > 0) unit.wake({ kind: 'user-signatures', userNid: signer, signed: [...signed], pos });
  }).committed;
}

/** Of their own keys a user signs devices and the master key. */
function tellSigned(
  { outgoingDevices }: Signing,
  unit: UnitBuilder,
  signer: number,
  accepted: readonly NewSignatures[],
): void {
  const own = accepted.filter(({ userNid }) => userNid === signer);
  const devices = new Set(own.filter(({ isDevice }) => isDevice).map(({ target }) => target));
  outgoingDevices.devicesChanged(unit, signer, [...devices]);
  if (own.some(({ isDevice }) => !isDevice)) outgoingDevices.signingKeysChanged(unit, signer);
}
