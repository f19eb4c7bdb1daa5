/** Brings a database to this program's schema. Migrations are the files of migrations/, in order; each is one transaction. */
import { readdir } from 'node:fs/promises';
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import { OperatorError } from '../platform/operator-error.ts';

export interface Migration {
  /** The file's number. */
  readonly version: number;
  readonly name: string;
  up(db: Kysely<never>): Promise<void>;
}

/** The database is newer than this program, or is another server's. The message says what to do. */
export class DatabaseRefused extends OperatorError {
  override readonly name = 'DatabaseRefused';
}

/**
 * The oldest schema version whose program can still work with a database of the newest version. It is raised to the version of
 * a migration that older programs cannot live with.
 */
export const compatibleVersion = 6;

/** Where this program's migrations are. */
export const migrationsFolder = new URL('../../migrations/', import.meta.url);

export async function loadMigrations(folder: URL): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}-.*\.ts$/.test(file)).toSorted();
  return Promise.all(
    files.map(async (file, index) => {
      const version = Number(file.slice(0, 4));
      if (version !== index + 1) throw new Error(`migrations/${file} is not number ${index + 1}`);
      const loaded: unknown = await import(new URL(file, folder).href);
      if (!isMigrationModule(loaded)) throw new TypeError(`migrations/${file} does not export up(db)`);
      return { version, name: file, up: loaded.up };
    }),
  );
}

/**
 * Runs the migrations that the database has not had. `db` must be the only connection that writes.
 * Throws DatabaseRefused when a newer program has made changes that this one does not understand.
 */
export async function migrate(db: Kysely<never>, migrations: readonly Migration[]): Promise<void> {
  const done = await readVersions(db);
  const newest = migrations.at(-1)?.version ?? 0;
  if (done.compatible > newest)
    throw new DatabaseRefused(
      `the database was written by a newer version of veche: its schema is ${done.version}, which programs from schema ` +
        `${done.compatible} on understand, and this program knows schemas up to ${newest}; run the newer version or restore a backup`,
    );
  for (const migration of migrations) {
    if (migration.version <= done.version) continue;
    await db.transaction().execute(async (transaction) => {
      await migration.up(transaction);
      await setFact(transaction, 'schema_version', migration.version);
      await setFact(transaction, 'schema_compatible_version', Math.min(compatibleVersion, migration.version));
    });
  }
}

async function readVersions(db: Kysely<never>): Promise<{ version: number; compatible: number }> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter;
  const table = isPostgres
    ? sql`select 1 from information_schema.tables where table_schema = current_schema() and table_name = 'server_fact'`
    : sql`select 1 from sqlite_master where name = 'server_fact'`;
  if ((await table.execute(db)).rows.length === 0) return { version: 0, compatible: 0 };
  const facts = await sql<{ name: string; value: string }>`select name, value from server_fact
    where name in ('schema_version', 'schema_compatible_version')`.execute(db);
  const valueOf = (name: string) => Number(facts.rows.find((fact) => fact.name === name)?.value ?? 0);
  return { version: valueOf('schema_version'), compatible: valueOf('schema_compatible_version') };
}

async function setFact(db: Kysely<never>, name: string, value: number): Promise<void> {
  await sql`insert into server_fact (name, value) values (${name}, ${String(value)})
    on conflict (name) do update set value = excluded.value`.execute(db);
}

function isMigrationModule(loaded: unknown): loaded is Pick<Migration, 'up'> {
  return typeof loaded === 'object' && loaded !== null && 'up' in loaded && typeof loaded.up === 'function';
}
