import type { ServerName } from '../../matrix/ids/ids.ts';
import type { Logger } from '../../platform/log.ts';
import type { Semaphore } from '../../platform/semaphore.ts';
import type { Timers } from '../../platform/ports.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { ServerVisibility } from '../answers/server-visibility.ts';
import type { FederationClient } from '../contract.ts';
import type { RoomServers } from './room-servers.ts';
import type { SendCounters } from './send-counters.ts';
import type { KeyContents } from './sender-dependencies.ts';

/** Which servers are not to be asked anything for a while; the client of federation implements it. */
export interface BackingOff {
  /** In how many milliseconds the server may be asked again what nobody waits for; 0: now. */
  retryInMs(server: ServerName): number;
}

/** What all destinations share. */
export interface DestinationParts {
  readonly rooms: Pick<RoomsContext, 'db' | 'dags' | 'clock' | 'random' | 'partialRooms'>;
  readonly visibility: Pick<ServerVisibility, 'visibleTo'>;
  readonly timers: Timers;
  readonly client: Pick<FederationClient, 'request'>;
  readonly health: BackingOff;
  readonly roomServers: Pick<RoomServers, 'of'>;
  readonly deviceKeys: KeyContents;
  /** The name under which everything is sent. */
  readonly origin: ServerName;
  /** Numbers of our own names. */
  readonly locals: readonly number[];
  /** Who may be sent something at this moment: those that answer, and those that did not the last time. */
  readonly lanes: { readonly healthy: Semaphore; readonly failing: Semaphore };
  readonly counters: SendCounters;
  readonly log: Logger;
  readonly onFailed: (error: unknown) => void;
  /** Something changed in how far the server was sent everything. */
  onProgress(): void;
}
