/**
 * Tables whose code comes with later parts. They are laid now because backup and restore already speak of them
 * (unclaimed one-time keys are dropped, media is listed).
 */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // serial: the order of upload, in which keys are claimed
    `CREATE TABLE one_time_key (device_nid INTEGER NOT NULL, algorithm TEXT NOT NULL, serial INTEGER NOT NULL, key_id TEXT NOT NULL,
      json TEXT NOT NULL, PRIMARY KEY (device_nid, algorithm, serial)) WITHOUT ROWID`,
    `CREATE UNIQUE INDEX one_time_key_by_id ON one_time_key (device_nid, algorithm, key_id)`,
    // origin '' = this server; format: first byte of the stored file, as for event bodies
    `CREATE TABLE media (origin TEXT NOT NULL, media_id TEXT NOT NULL, sha256 BLOB, bytes INTEGER, content_type TEXT, file_name TEXT,
      user_nid INTEGER, created_ts INTEGER NOT NULL, last_access_ts INTEGER, quarantined_by TEXT, PRIMARY KEY (origin, media_id)) WITHOUT ROWID`,
    // json: the signed answer of the origin, so that it can be passed on as it was
    `CREATE TABLE server_key (server TEXT NOT NULL, key_id TEXT NOT NULL, valid_until_ts INTEGER NOT NULL, fetched_ts INTEGER NOT NULL,
      json TEXT NOT NULL, PRIMARY KEY (server, key_id)) WITHOUT ROWID`,
  ]);
}
