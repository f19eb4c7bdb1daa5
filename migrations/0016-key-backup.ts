/** Backups of room keys, which the server cannot read. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // keys: how many there are. etag: grows with every change of the keys. A deleted version stays as a row, so that its number
    // is not given again
    `CREATE TABLE key_backup (user_nid INTEGER NOT NULL, version INTEGER NOT NULL, algorithm TEXT NOT NULL, auth_data TEXT NOT NULL,
      etag INTEGER NOT NULL, keys INTEGER NOT NULL, deleted INTEGER NOT NULL, PRIMARY KEY (user_nid, version)) WITHOUT ROWID`,
    // json: the key as it was uploaded
    `CREATE TABLE backed_up_key (user_nid INTEGER NOT NULL, version INTEGER NOT NULL, session_id TEXT NOT NULL, room_id TEXT NOT NULL,
      first_message_index INTEGER NOT NULL, forwarded_count INTEGER NOT NULL, is_verified INTEGER NOT NULL, json TEXT NOT NULL,
      PRIMARY KEY (user_nid, version, session_id, room_id)) WITHOUT ROWID`,
    `CREATE INDEX backed_up_key_by_room ON backed_up_key (user_nid, version, room_id)`,
  ]);
}
