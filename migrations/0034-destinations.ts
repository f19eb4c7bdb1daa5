/** Other servers: how it goes with asking them. */
import type { Kysely } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // failures: in a row; 0 = all is well. failing_since_ts, retry_ts and last_error are of this row of failures.
    `CREATE TABLE destination (server TEXT NOT NULL, failures INTEGER NOT NULL, failing_since_ts INTEGER, retry_ts INTEGER NOT NULL,
      last_error TEXT, last_success_ts INTEGER, PRIMARY KEY (server)) WITHOUT ROWID`,
    `CREATE INDEX destination_failing ON destination (server) WHERE failures > 0`,
  ]);
}
