/** Devices that wait, without a session, for a login that takes over what was sent to them. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // json: device_data, which the server cannot read
    `CREATE TABLE dehydrated_device (user_nid INTEGER PRIMARY KEY, device_nid INTEGER NOT NULL, json TEXT NOT NULL)`,
  ]);
}
