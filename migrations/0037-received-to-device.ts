/** Messages to devices from other servers. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // Which came, for some days: a server sends them until it knows that they came.
    `CREATE TABLE received_to_device (server_nid INTEGER NOT NULL, message_id TEXT NOT NULL, ts INTEGER NOT NULL,
      PRIMARY KEY (server_nid, message_id)) WITHOUT ROWID`,
    `CREATE INDEX received_to_device_old ON received_to_device (server_nid, ts)`,
  ]);
}
