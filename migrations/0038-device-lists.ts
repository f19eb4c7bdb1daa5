/** Device lists across servers. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // stream_id: of the newest m.device_list_update about the user, 0 for none
    `ALTER TABLE device_change ADD COLUMN stream_id INTEGER NOT NULL DEFAULT 0`,
    `UPDATE device_change SET stream_id = pos`,
    // Of EDUs about keys of a user, which are put together when they are sent; json is empty there. device_id NULL: cross-signing keys
    `ALTER TABLE outgoing_edu ADD COLUMN user_nid INTEGER`,
    `ALTER TABLE outgoing_edu ADD COLUMN device_id TEXT`,
    `ALTER TABLE outgoing_edu ADD COLUMN stream_id INTEGER`,
    `ALTER TABLE outgoing_edu ADD COLUMN prev_id INTEGER`,
    // Users of other servers whose keys are kept. stream_id NULL: they were never had; stale_pos: since when they may not be right, 0: they are
    `CREATE TABLE remote_device_list (user_nid INTEGER PRIMARY KEY, server_nid INTEGER NOT NULL, stream_id INTEGER,
      stale_pos INTEGER NOT NULL)`,
    `CREATE INDEX remote_device_list_by_server ON remote_device_list (server_nid)`,
    `CREATE INDEX remote_device_list_stale ON remote_device_list (stale_pos) WHERE stale_pos <> 0`,
    // json: keys of the device as clients get them; their cross-signing keys are in cross_signing_key
    `CREATE TABLE remote_device (user_nid INTEGER NOT NULL, device_id TEXT NOT NULL, json TEXT NOT NULL,
      PRIMARY KEY (user_nid, device_id)) WITHOUT ROWID`,
  ]);
}
