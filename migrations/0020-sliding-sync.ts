/** Connections of simplified sliding sync: what each has been told, so that it goes on after a restart. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // tail: what changed since base was written, and what is not acknowledged yet, as JSON
    `CREATE TABLE sliding_connection (connection INTEGER PRIMARY KEY, device_nid INTEGER NOT NULL, conn_id TEXT NOT NULL,
      used_ts INTEGER NOT NULL, tail TEXT NOT NULL)`,
    `CREATE INDEX sliding_connection_by_device ON sliding_connection (device_nid, conn_id)`,
    // apart, because it is large and written seldom
    `CREATE TABLE sliding_base (connection INTEGER PRIMARY KEY, base TEXT NOT NULL)`,
  ]);
}
