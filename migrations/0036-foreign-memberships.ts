/** Invites and knocks of local users in rooms that are on other servers alone. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // json: the membership event, which stands in no graph here; server_nid: through which server it came or was made
    `CREATE TABLE foreign_membership (user_nid INTEGER NOT NULL, room INTEGER NOT NULL, event_id TEXT NOT NULL, json TEXT NOT NULL,
      server_nid INTEGER NOT NULL, PRIMARY KEY (user_nid, room)) WITHOUT ROWID`,
  ]);
}
