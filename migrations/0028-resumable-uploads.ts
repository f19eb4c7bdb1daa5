/** Uploads that continue: what was received of them, and how far they are. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // upload_id is now the SHA-256 of the secret in the upload's URL.
    // head: the first bytes, at most 16; sha256: from when all of it was received until it is under its URI, a reference to
    // the content; completed_ts: since when it is there
    `ALTER TABLE upload ADD COLUMN head BLOB`,
    `ALTER TABLE upload ADD COLUMN sha256 BLOB`,
    `ALTER TABLE upload ADD COLUMN completed_ts INTEGER`,
    `CREATE INDEX upload_by_content ON upload (sha256) WHERE sha256 IS NOT NULL`,
  ]);
}
