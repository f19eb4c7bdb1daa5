/** Notifications by e-mail: when the last one was sent, and how long none may be after it. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    'ALTER TABLE pusher ADD COLUMN mailed_ts INTEGER',
    'ALTER TABLE pusher ADD COLUMN mail_wait_ms INTEGER',
  ]);
}
