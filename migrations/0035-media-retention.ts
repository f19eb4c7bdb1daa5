/** What is deleted after a while without use, and what tells whether a file may still be named by what nobody can read. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    `CREATE INDEX media_by_use ON media ((coalesce(last_access_ts, created_ts)), origin, media_id) WHERE sha256 IS NOT NULL`,
    // used_ts: the beginning of the day of its last use; 0: not known
    `ALTER TABLE thumbnail ADD COLUMN used_ts INTEGER NOT NULL DEFAULT 0`,
    `CREATE INDEX thumbnail_by_use ON thumbnail (used_ts)`,
    `CREATE INDEX profile_field_avatar ON profile_field (value) WHERE name = 'avatar_url'`,
    // Who has ever sent an encrypted event: what they uploaded may be named there.
    `CREATE TABLE encrypted_sender (user_nid INTEGER PRIMARY KEY)`,
    // It is found by reading once more.
    `DELETE FROM stream_progress WHERE follower = 'media_reference'`,
  ]);
}
