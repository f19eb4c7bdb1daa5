import { readdirSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { compiledStatement, definedQueries } from '../../src/storage/query.ts';
import { describeOnBothEngines } from '../support/databases.ts';

const storage = new URL('../../src/storage/', import.meta.url);

beforeAll(async () => {
  const files = readdirSync(storage, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  await Promise.all(files.map((file) => import(new URL(file, storage).href)));
});

describeOnBothEngines('every query of src/storage', (engine) => {
  it('is accepted by the engine, reads or writes as it says, and takes values of any size', async () => {
    const options = engine.optionsOf(await engine.open({ reopenable: true }));
    const complaints =
      options.engine === 'sqlite' ? complaintsOfSqlite(options.path) : await complaintsOfPostgres(options.url);
    expect(complaints).toEqual([]);
    expect(queriesOfStorage().length).toBeGreaterThan(100);
  });
});

/** Spec files share a process: those that define queries of their own name them `spec.*`. */
function queriesOfStorage(): ReturnType<typeof definedQueries> {
  return definedQueries().filter(({ name }) => !name.startsWith('spec.'));
}

function complaintsOfSqlite(path: string): string[] {
  const connection = new Sqlite(path);
  const complaints = queriesOfStorage().flatMap((query) => {
    const { sql } = compiledStatement(query, 'sqlite');
    try {
      const { readonly } = connection.prepare(sql);
      return readonly === (query.kind === 'read') ? [] : [`${query.name} is not a ${query.kind}: ${sql}`];
    } catch (error) {
      return [`${query.name}: ${String(error)}: ${sql}`];
    }
  });
  connection.close();
  return complaints;
}

/** A parameter that PostgreSQL takes for a 32-bit integer would fail with the first large position. */
const allowedTypes = new Set(['bigint', 'bigint[]', 'text', 'text[]', 'bytea']);

async function complaintsOfPostgres(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const complaints: string[] = [];
  for (const query of queriesOfStorage()) {
    const { sql } = compiledStatement(query, 'postgres');
    try {
      await client.query(`PREPARE "${query.name}" AS ${sql}`);
    } catch (error) {
      complaints.push(`${query.name}: ${String(error)}: ${sql}`);
    }
  }
  const prepared = await client.query<{ name: string; types: string[] }>(
    'SELECT name, parameter_types::text[] AS types FROM pg_prepared_statements',
  );
  for (const { name, types } of prepared.rows) {
    const wrong = types.filter((type) => !allowedTypes.has(type));
    if (wrong.length > 0) complaints.push(`${name} takes ${wrong.join(', ')}: write a cast`);
  }
  await client.end();
  return complaints;
}
