/**
 * The server's side of end-to-end encryption: keys of devices and users, and what devices send each other.
 * https://spec.matrix.org/v1.19/client-server-api/#end-to-end-encryption
 */
import { KeyedLock } from '../platform/keyed-lock.ts';
import * as backedUpKeys from './backed-up-keys.ts';
import { claimKeys } from './claim-keys.ts';
import type { EncryptionContext } from './context.ts';
import * as dehydrated from './dehydrated-devices.ts';
import { DeviceInboxes } from './device-inboxes.ts';
import { uploadCrossSigningKeys } from './device-signing.ts';
import * as keyBackups from './key-backup-versions.ts';
import { KeyCounts } from './key-counts.ts';
import { deviceListUpdate, signingKeyUpdate } from './key-edus.ts';
import { queryKeys } from './query-keys.ts';
import { receiveToDevice } from './receive-to-device.ts';
import type { RemoteListsParts } from './remote-lists/context.ts';
import { RemoteLists } from './remote-lists/remote-lists.ts';
import * as serverAnswers from './server-answers.ts';
import { sendToDevice } from './send-to-device.ts';
import { uploadKeys } from './upload-keys.ts';
import { uploadSignatures } from './upload-signatures.ts';
import { KnownKeys } from './user-keys.ts';

export type Encryption = ReturnType<typeof createEncryption>;

export type EncryptionDependencies = RemoteListsParts &
  Omit<EncryptionContext, 'locks' | 'inboxes' | 'keyCounts' | 'knownKeys' | 'remoteLists'>;

/** Made once, by the composition root. Nothing is read or written before the first call. */
export function createEncryption(dependencies: EncryptionDependencies) {
  const { db } = dependencies;
  const remoteLists = new RemoteLists(dependencies);
  const ctx: EncryptionContext = {
    ...dependencies,
    locks: new KeyedLock<number>(),
    inboxes: new DeviceInboxes(db),
    keyCounts: new KeyCounts(db),
    knownKeys: new KnownKeys(db),
    remoteLists,
  };
  const { inboxes, keyCounts, knownKeys } = ctx;
  return {
    ...bindAll(ctx, operations),
    /** What waits for devices, for /sync. */
    inboxes,
    /** For /sync. */
    keyCounts,
    /** Of users of other servers. */
    remoteLists,
    async close(): Promise<void> {
      await remoteLists.close();
      inboxes.close();
      keyCounts.close();
      knownKeys.close();
    },
  };
}

const operations = {
  putDehydratedDevice: dehydrated.putDehydratedDevice,
  getDehydratedDevice: dehydrated.getDehydratedDevice,
  deleteDehydratedDevice: dehydrated.deleteDehydratedDevice,
  readDehydratedEvents: dehydrated.readDehydratedEvents,
  createKeyBackup: keyBackups.createKeyBackup,
  getKeyBackup: keyBackups.getKeyBackup,
  updateKeyBackup: keyBackups.updateKeyBackup,
  deleteKeyBackup: keyBackups.deleteKeyBackup,
  putBackedUpKeys: backedUpKeys.putBackedUpKeys,
  readBackedUpKeys: backedUpKeys.readBackedUpKeys,
  readBackedUpKey: backedUpKeys.readBackedUpKey,
  removeBackedUpKeys: backedUpKeys.removeBackedUpKeys,
  sendToDevice,
  receiveToDevice,
  uploadKeys,
  claimKeys,
  claimKeysForServer: serverAnswers.claimKeysForServer,
  queryKeys,
  deviceListUpdate,
  signingKeyUpdate,
  queryKeysForServer: serverAnswers.queryKeysForServer,
  userDevices: serverAnswers.userDevices,
  uploadCrossSigningKeys,
  uploadSignatures,
};

type Bound<F> = F extends (ctx: never, ...args: infer A) => infer R ? (...args: A) => R : never;

/** Functions of this folder with their first argument given. */
function bindAll<F extends Readonly<Record<string, (ctx: EncryptionContext, ...args: never[]) => unknown>>>(
  ctx: EncryptionContext,
  functions: F,
): { readonly [K in keyof F]: Bound<F[K]> } {
  const bound = Object.entries(functions).map(([name, run]) => [name, run.bind(undefined, ctx)]);
  return Object.fromEntries(bound) as { readonly [K in keyof F]: Bound<F[K]> };
}
