/** What the functions of encryption/ work with; made once by `createEncryption`. */
import type { InteractiveAuth } from '../accounts/interactive-auth.ts';
import type { KeyedLock } from '../platform/keyed-lock.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Clock, Random, Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import type { Names } from '../storage/names.ts';
import type { DeviceInboxes } from './device-inboxes.ts';
import type { KeyCounts } from './key-counts.ts';
import type { OutgoingDeviceLists, OutgoingEdus, RemoteKeys } from './ports.ts';
import type { KnownLists } from './remote-lists/remote-lists.ts';
import type { KnownKeys } from './user-keys.ts';

export interface EncryptionContext {
  readonly db: Database;
  readonly names: Names;
  readonly localServers: LocalServers;
  readonly interactiveAuth: InteractiveAuth;
  /** One at a time per user: whatever reads something of a user's keys and writes what depends on it. */
  readonly locks: KeyedLock<number>;
  readonly inboxes: DeviceInboxes;
  readonly keyCounts: KeyCounts;
  readonly knownKeys: KnownKeys;
  readonly remoteKeys: RemoteKeys;
  readonly edus: OutgoingEdus;
  readonly outgoingDevices: OutgoingDeviceLists;
  readonly remoteLists: KnownLists;
  /** Whether users of other servers see the names of devices. */
  readonly tellsDeviceNames: boolean;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly timers: Pick<Timers, 'after' | 'soon'>;
  readonly random: Random;
}
