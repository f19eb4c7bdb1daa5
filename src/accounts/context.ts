/** What the functions of accounts/ work with; made once by `createAccounts`. */
import type { Mailer } from '../mail/mailer.ts';
import type { Config } from '../platform/config/config.ts';
import type { KeyedLock } from '../platform/keyed-lock.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Clock, Random, Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import type { Names } from '../storage/names.ts';
import type { Passwords } from './passwords.ts';
import type { AttemptLimiter, Departure, OutgoingDevices, ProfilePropagation, RemoteProfiles } from './ports.ts';
import type { SyncFilters } from './sync-filters.ts';

export type AccountsConfig = Pick<
  Config,
  | 'registration'
  | 'password'
  | 'serverNotices'
  | 'rooms'
  | 'email'
  | 'publicBaseUrl'
  | 'accountValidity'
  | 'serverName'
  | 'delayedEvents'
  | 'urlPreviews'
>;

export interface AccountsContext {
  readonly db: Database;
  readonly names: Names;
  readonly localServers: LocalServers;
  readonly config: AccountsConfig;
  readonly passwords: Passwords;
  /** One at a time per user: whatever reads something of an account and writes what depends on it. */
  readonly locks: KeyedLock<number>;
  readonly syncFilters: SyncFilters;
  readonly attempts: AttemptLimiter | undefined;
  readonly mailer: Mailer;
  readonly profilePropagation: ProfilePropagation;
  readonly remoteProfiles: RemoteProfiles;
  readonly departure: Departure;
  readonly outgoingDevices: OutgoingDevices;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly random: Random;
}

/** From where a request came, as the HTTP layer knows it. */
export interface ClientAddress {
  readonly address: string;
  readonly userAgent: string | undefined;
}
