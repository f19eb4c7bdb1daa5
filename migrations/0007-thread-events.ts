/** Which events are in which thread, so that unread counts can be told thread by thread. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // One row per event in a thread, also after its redaction. root: the thread root's event id. counted: 1 where the default
    // push rules notify for it
    `CREATE TABLE thread_event (room INTEGER NOT NULL, ord INTEGER NOT NULL, root TEXT NOT NULL, counted INTEGER NOT NULL,
      PRIMARY KEY (room, ord)) WITHOUT ROWID`,
    `INSERT INTO thread_event (room, ord, root, counted)
      SELECT e.room, e.ord, r.target_id, e.notify_seq - coalesce(
        (SELECT max(b.notify_seq) FROM event AS b WHERE b.room = e.room AND b.ord < e.ord), 0)
      FROM relation AS r JOIN event AS e ON e.nid = r.nid WHERE r.rel_type = 'm.thread' AND e.ord IS NOT NULL`,
  ]);
}
