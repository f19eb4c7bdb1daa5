import type { KeyedLock } from '../../platform/keyed-lock.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import type { Clock, Random, Timers } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import type { Names } from '../../storage/names.ts';
import type { OutgoingDeviceLists, RemoteKeys, ServersBackingOff } from '../ports.ts';
import type { KeptLists } from './kept-lists.ts';

/** What keeping lists of users of other servers works with. */
export interface RemoteListsParts {
  readonly db: Database;
  readonly names: Names;
  readonly localServers: LocalServers;
  readonly remoteKeys: RemoteKeys;
  readonly backingOff: ServersBackingOff;
  readonly outgoingDevices: OutgoingDeviceLists;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly random: Pick<Random, 'int'>;
  /** Whether what is said in a room is encrypted. */
  isEncrypted(room: number): Promise<boolean>;
  /** Told of work in the background that failed. */
  onFailed(error: unknown): void;
}

export interface RemoteListsContext extends RemoteListsParts {
  readonly kept: KeptLists;
  /** One at a time per user: whatever reads what is kept of a user and writes what depends on it. */
  readonly listLocks: KeyedLock<number>;
  /** Numbers of our own names. */
  locals(): Promise<readonly number[]>;
}
