import type { Kysely } from 'kysely';
import type { Ports } from '../platform/ports.ts';
import type { Engine } from './engine.ts';
import { GroupCommitDatabase } from './group-commit.ts';
import { loadMigrations, migrate, migrationsFolder } from './migrate.ts';
import { boundValues, compiledStatement } from './query.ts';
import { sequenceReservedUntil } from './sequence.ts';
import type { PostgresOptions } from './postgres/postgres-engine.ts';
import type { SqliteOptions } from './sqlite/connection.ts';
import { openSqliteEngine } from './sqlite/open-sqlite.ts';

export type DatabaseOptions =
  ({ readonly engine: 'sqlite' } & SqliteOptions) | ({ readonly engine: 'postgres' } & PostgresOptions);

/**
 * Opens the database and runs the migrations it has not had. SQLite writes in a thread of its own, unless the path is
 * ':memory:' or the workers are inline; then everything happens in this thread.
 * Throws DatabaseRefused when another process has it open, or a newer version of veche has changed it.
 */
export async function openDatabase(
  options: DatabaseOptions,
  ports: Pick<Ports, 'timers' | 'workers'>,
): Promise<GroupCommitDatabase> {
  const migrations = await loadMigrations(migrationsFolder);
  const prepare = (db: Kysely<never>) => migrate(db, migrations);
  const engine =
    options.engine === 'sqlite'
      ? await openSqliteEngine(options, ports, prepare)
      : await openPostgres(options, prepare);
  const start = { pos: await reservedUntil(engine, 'pos'), id: await reservedUntil(engine, 'id') };
  // inline, time belongs to the test, and so does every turn of the event loop
  const soon = ports.workers.inline ? queueMicrotask : (run: () => void) => ports.timers.soon(run);
  return new GroupCommitDatabase(engine, start, soon);
}

/** Its driver is loaded by those who use it: memory and time of every start. */
async function openPostgres(options: PostgresOptions, prepare: (db: Kysely<never>) => Promise<void>): Promise<Engine> {
  const { openPostgresEngine } = await import('./postgres/postgres-engine.ts');
  return openPostgresEngine(options, prepare);
}

async function reservedUntil(engine: Engine, name: string): Promise<number> {
  const statement = compiledStatement(sequenceReservedUntil, engine.name);
  const [row] = await engine.all(statement, boundValues(statement, { name }, engine.name));
  if (typeof row?.['reserved_until'] !== 'number') throw new Error(`the database has no sequence ${name}`);
  return row['reserved_until'];
}
