/** What the functions of push/ work with; made once by `createPush`. */
import type { Mailer } from '../mail/mailer.ts';
import type { Config } from '../platform/config/config.ts';
import type { KeyedLock } from '../platform/keyed-lock.ts';
import type { Clock, OutgoingHttp, Random, Timers } from '../platform/ports.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { Database } from '../storage/database.ts';
import type { PushRules, Unread } from './ports.ts';

export type PushConfig = Config['push'];

export interface PushContext {
  readonly db: Database;
  readonly rooms: RoomsContext;
  readonly unread: Unread;
  readonly pushRules: PushRules;
  readonly config: PushConfig;
  /** Of this server, as a push gateway. */
  readonly gateway: { readonly publicBaseUrl: string; readonly serverName: string };
  /** One at a time per app_id and pushkey. */
  readonly pusherLocks: KeyedLock<string>;
  readonly mailer: Pick<Mailer, 'isConfigured' | 'language' | 'send'>;
  readonly http: OutgoingHttp;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Told of work in the background that failed. */
  readonly onFailed: (error: unknown) => void;
}
