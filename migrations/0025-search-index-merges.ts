/** The full-text index of SQLite is written many entries at a time; merging twice as many parts at once rewrites it less often. */
import { type Kysely, PostgresAdapter, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  if (db.getExecutor().adapter instanceof PostgresAdapter) return;
  await sql`insert into search_entry (search_entry, rank) values ('automerge', 8)`.execute(db);
}
