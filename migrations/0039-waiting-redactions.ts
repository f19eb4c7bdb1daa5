/** Redactions that came before what they redact. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // nid: the redaction. target_id: an event that was not known here when the redaction came.
    `CREATE TABLE waiting_redaction (room INTEGER NOT NULL, target_id TEXT NOT NULL, nid INTEGER NOT NULL,
      PRIMARY KEY (room, target_id, nid)) WITHOUT ROWID`,
    `CREATE INDEX waiting_redaction_nid ON waiting_redaction (nid)`,
  ]);
}
