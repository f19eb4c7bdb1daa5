/**
 * Migrations are written once, in SQLite's spelling, and run on both engines.
 * PostgreSQL differs in four words: INTEGER is bigint (positions and ids go beyond 32 bits), BLOB is bytea, TEXT is compared
 * by code points as in SQLite, and WITHOUT ROWID has no meaning there (a primary key is enough).
 */
import { type Kysely, PostgresAdapter, sql } from 'kysely';

export async function ddl(db: Kysely<never>, statements: readonly string[]): Promise<void> {
  const postgres = db.getExecutor().adapter instanceof PostgresAdapter;
  for (const text of statements) await sql.raw(postgres ? toPostgres(text) : text).execute(db);
}

export function toPostgres(text: string): string {
  return text
    .replaceAll(/\bINTEGER\b/g, 'bigint')
    .replaceAll(/\bBLOB\b/g, 'bytea')
    .replaceAll(/\bTEXT\b/g, 'text COLLATE "C"')
    .replaceAll(/\)\s*WITHOUT ROWID/g, ')');
}
