/** Events that every member of a room is to get, however little of its timeline they ask for (MSC4354). */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // expires_ts: until when; rows go with the next one that comes after it
    `CREATE TABLE sticky_event (room INTEGER NOT NULL, pos INTEGER NOT NULL, nid INTEGER NOT NULL, expires_ts INTEGER NOT NULL,
      PRIMARY KEY (room, pos, nid)) WITHOUT ROWID`,
    `CREATE INDEX sticky_event_by_expiry ON sticky_event (expires_ts)`,
  ]);
}
