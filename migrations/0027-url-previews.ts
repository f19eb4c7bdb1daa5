/** What was told of pages that messages link to. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // asked: SHA-256 of the URL and the language. json: the answer. image_media_id: media of this server that only the answer names.
    `CREATE TABLE url_preview (asked BLOB NOT NULL, fetched_ts INTEGER NOT NULL, expires_ts INTEGER NOT NULL, json TEXT NOT NULL,
      image_media_id TEXT, PRIMARY KEY (asked, fetched_ts)) WITHOUT ROWID`,
    `CREATE INDEX url_preview_by_time ON url_preview (fetched_ts)`,
  ]);
}
