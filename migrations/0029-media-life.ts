/** Files that administrators look after, and how much each user has. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // protected 1: cannot be quarantined
    `ALTER TABLE media ADD COLUMN protected INTEGER NOT NULL DEFAULT 0`,
    // Alone enough to add up what a user has.
    `CREATE INDEX media_usage ON media (user_nid, bytes) WHERE bytes IS NOT NULL`,
  ]);
}
