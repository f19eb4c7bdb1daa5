/** A database as it is at one moment, for commands that look at it while a server writes. */
import { existsSync } from 'node:fs';
import pg from 'pg';
import type { Database } from './database.ts';
import type { Row } from './engine.ts';
import { DatabaseRefused } from './migrate.ts';
import type { DatabaseOptions } from './open.ts';
import { typeParsers, wireValue } from './postgres/values.ts';
import { boundValues, compiledStatement } from './query.ts';
import { openReaderConnection } from './sqlite/connection.ts';
import { SqliteReads } from './sqlite/reads.ts';

export type Reads = Pick<Database, 'engine' | 'all' | 'one'>;
export interface Snapshot extends Reads {
  close(): Promise<void>;
}

/** Everything read from it belongs to the same moment. Nothing can be written. Throws DatabaseRefused when there is none. */
export async function openSnapshot(options: DatabaseOptions): Promise<Snapshot> {
  return options.engine === 'sqlite' ? sqliteSnapshot(options.path) : postgresSnapshot(options.url);
}

function sqliteSnapshot(path: string): Snapshot {
  if (!existsSync(path)) throw new DatabaseRefused(`there is no database at ${path}`);
  const connection = openReaderConnection({ path });
  connection.exec('BEGIN');
  const reads = new SqliteReads(connection);
  return snapshotOver(
    'sqlite',
    (statement, values) => Promise.resolve(reads.all(statement, values)),
    () => Promise.resolve(reads.close()),
  );
}

async function postgresSnapshot(url: string): Promise<Snapshot> {
  const client = new pg.Client({ connectionString: url, types: typeParsers, application_name: 'veche snapshot' });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  return snapshotOver(
    'postgres',
    async (statement, values) => {
      const query = { name: `s${statement.index}`, text: statement.sql, values: values.map(wireValue) };
      return (await client.query<Row>(query)).rows;
    },
    () => client.end(),
  );
}

type CompiledStatement = ReturnType<typeof compiledStatement>;

function snapshotOver(
  engine: Database['engine'],
  run: (statement: CompiledStatement, values: ReturnType<typeof boundValues>) => Promise<Row[]>,
  close: () => Promise<void>,
): Snapshot {
  const all: Database['all'] = async <P, RowOf>(query: Parameters<typeof compiledStatement>[0], params: P) => {
    const statement = compiledStatement(query, engine);
    // defineRead has checked the builder's row type
    return (await run(statement, boundValues(statement, params as object, engine))) as RowOf[];
  };
  return { engine, all, one: async (query, params) => (await all(query, params))[0], close };
}
