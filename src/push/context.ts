/** What the functions of push/ work with; made once by `createPush`. */
import type { Config } from '../platform/config/config.ts';
import type { KeyedLock } from '../platform/keyed-lock.ts';
import type { Clock } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';

export type PushConfig = Config['push'];

export interface PushContext {
  readonly db: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly config: PushConfig;
  /** One at a time per app_id and pushkey, as `pusherLockKey` writes them. */
  readonly pusherLocks: KeyedLock<string>;
}
