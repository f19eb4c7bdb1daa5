/** Messages that wait for a device. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // json: the event as /sync tells it. pos: the stream position at which it came
    `CREATE TABLE to_device (device_nid INTEGER NOT NULL, pos INTEGER NOT NULL, json TEXT NOT NULL,
      PRIMARY KEY (device_nid, pos)) WITHOUT ROWID`,
  ]);
}
