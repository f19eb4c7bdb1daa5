/** What the database stores, counted. */
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import type { Workshop } from './workshop.ts';

/** What tables and indexes take. SQLite: of these; PostgreSQL: the tables among them with all their indexes. */
export async function bytesOf({ options, db }: Workshop, names?: readonly string[]): Promise<number> {
  await db.drained();
  if (options.engine === 'postgres') return bytesInPostgres(options.url, names);
  const reader = new Sqlite(options.path, { readonly: true });
  try {
    const rows = reader.prepare<[], { name: string; bytes: number }>(
      'SELECT name, sum(pgsize - unused) AS bytes FROM dbstat GROUP BY name',
    );
    return rows.all().reduce((sum, { name, bytes }) => (names?.includes(name) === false ? sum : sum + bytes), 0);
  } finally {
    reader.close();
  }
}

async function bytesInPostgres(url: string, names?: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; bytes: string }>(
      `SELECT relname AS name, pg_total_relation_size(oid) AS bytes FROM pg_class
       WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    return rows.reduce((sum, { name, bytes }) => (names?.includes(name) === false ? sum : sum + Number(bytes)), 0);
  } finally {
    await client.end();
  }
}
