/** Which threads people follow. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // state: 'manual', 'automatic', or 'none' where a thread was unsubscribed from. pos: of the last change
    `CREATE TABLE thread_subscription (room INTEGER NOT NULL, root_id TEXT NOT NULL, user_nid INTEGER NOT NULL, state TEXT NOT NULL,
      pos INTEGER NOT NULL, PRIMARY KEY (room, root_id, user_nid)) WITHOUT ROWID`,
    `CREATE UNIQUE INDEX thread_subscription_by_pos ON thread_subscription (user_nid, pos)`,
  ]);
}
