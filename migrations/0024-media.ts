/** Files: what was uploaded under which mxc URI, and the contents that are stored, each once. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // Laid by 0005 and never written.
    `DROP TABLE media`,
    // origin: the server name of the mxc URI; sha256 NULL: created and not uploaded yet, and then expires_ts says until when;
    // last_access_ts: the beginning of a day
    `CREATE TABLE media (origin TEXT NOT NULL, media_id TEXT NOT NULL, sha256 BLOB, bytes INTEGER, content_type TEXT, file_name TEXT,
      user_nid INTEGER, created_ts INTEGER NOT NULL, expires_ts INTEGER, last_access_ts INTEGER, quarantined_by TEXT,
      PRIMARY KEY (origin, media_id)) WITHOUT ROWID`,
    `CREATE INDEX media_by_content ON media (sha256) WHERE sha256 IS NOT NULL`,
    `CREATE INDEX media_by_user ON media (user_nid, created_ts)`,
    `CREATE INDEX media_pending ON media (user_nid, expires_ts) WHERE sha256 IS NULL`,
    `CREATE INDEX media_by_expiry ON media (expires_ts) WHERE sha256 IS NULL`,
    // settled 0: the content may or may not be in the store, and nothing refers to it
    `CREATE TABLE blob (sha256 BLOB PRIMARY KEY, bytes INTEGER NOT NULL, created_ts INTEGER NOT NULL, settled INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX blob_unsettled ON blob (sha256) WHERE settled = 0`,
    // source: the content it is made of; sha256: its own
    `CREATE TABLE thumbnail (source BLOB NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, method TEXT NOT NULL, animated INTEGER NOT NULL,
      content_type TEXT NOT NULL, sha256 BLOB NOT NULL, bytes INTEGER NOT NULL,
      PRIMARY KEY (source, width, height, method, animated)) WITHOUT ROWID`,
    `CREATE INDEX thumbnail_by_content ON thumbnail (sha256)`,
    // Uploads that may be continued on another connection; upload_id names the unfinished content in the store. bytes: NULL until known
    `CREATE TABLE upload (upload_id TEXT PRIMARY KEY, origin TEXT NOT NULL, media_id TEXT NOT NULL, user_nid INTEGER NOT NULL, bytes INTEGER,
      content_type TEXT, file_name TEXT, created_ts INTEGER NOT NULL, expires_ts INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX upload_by_user ON upload (user_nid)`,
    `CREATE INDEX upload_by_expiry ON upload (expires_ts)`,
  ]);
}
