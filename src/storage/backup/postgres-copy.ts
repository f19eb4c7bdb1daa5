/**
 * A logical copy of a PostgreSQL database, without programs of PostgreSQL: a file for each table, its first line the columns,
 * each further line a row as a JSON array; bytes are {"base64": "…"}. All tables are read in one snapshot.
 */
import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { loadMigrations, migrate, migrationsFolder } from '../migrate.ts';
import { typeParsers, wireValue } from '../postgres/values.ts';
import type { BoundValue } from '../query.ts';
import type { DatabaseCopy, MediaRow } from './database-copy.ts';
import { BackupRefused } from './backup-refused.ts';
import { afterRestore, remoteKeysTable } from './restore-statements.ts';

const rowsPerFetch = 1_000;
/** The protocol counts parameters in 16 bits. */
const parametersMax = 30_000;

export async function copyPostgres(url: string, folder: string): Promise<DatabaseCopy> {
  return inClient(url, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await mkdir(join(folder, 'tables'));
    const files: string[] = [];
    for (const table of await tablesOf(client)) {
      const file = `tables/${table}.jsonl`;
      await copyTable(client, table, join(folder, file));
      files.push(file);
    }
    if (!files.includes('tables/server_fact.jsonl'))
      throw new BackupRefused('the database is empty: has the server never been started?');
    const facts = await client.query<{ name: string; value: string }>('SELECT name, value FROM server_fact');
    const media = await client.query<MediaRow>(
      `SELECT origin, media_id, encode(sha256, 'hex') AS sha256, bytes FROM media ORDER BY origin, media_id`,
    );
    await client.query('COMMIT');
    return { files, facts: new Map(facts.rows.map(({ name, value }) => [name, value])), media: media.rows };
  });
}

/**
 * Fills the database, which must be empty, in one transaction: tables as they were at `schemaVersion`, which the next start
 * brings up to date. Gives how many one-time keys were dropped.
 */
export async function restorePostgres(
  folder: string,
  url: string,
  schemaVersion: number,
  files: readonly string[],
): Promise<number> {
  await inClient(url, async (client) => {
    if ((await tablesOf(client)).length > 0)
      throw new BackupRefused('the database is not empty; create a new one, so that nothing is overwritten');
  });
  try {
    await makeTables(url, schemaVersion);
    return await inClient(url, (client) => fillTables(client, folder, files));
  } catch (error) {
    // empty again, as it was found
    await inClient(url, dropTables);
    throw error;
  }
}

async function fillTables(client: pg.Client, folder: string, files: readonly string[]): Promise<number> {
  await client.query('BEGIN');
  for (const file of files) {
    const [, table] = /^tables\/(\w+)\.jsonl$/.exec(file) ?? [];
    if (table !== undefined) await fillTable(client, table, join(folder, file));
  }
  const { rowCount } = await client.query(afterRestore.dropOneTimeKeys);
  await client.query(afterRestore.skipNumbers);
  if ((await tablesOf(client)).includes(remoteKeysTable)) await client.query(afterRestore.doubtRemoteKeys);
  await client.query('COMMIT');
  return rowCount ?? 0;
}

async function dropTables(client: pg.Client): Promise<void> {
  for (const table of await tablesOf(client)) await client.query(`DROP TABLE "${table}"`);
}

async function inClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, types: typeParsers, application_name: 'veche backup' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT table_name::text AS name FROM information_schema.tables
      WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`,
  );
  return rows.map(({ name }) => name);
}

async function copyTable(client: pg.Client, table: string, path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await client.query(`DECLARE copied NO SCROLL CURSOR FOR SELECT * FROM "${table}"`);
    for (let isFirst = true; ; isFirst = false) {
      const { fields, rows } = await client.query<unknown[]>({
        text: `FETCH ${rowsPerFetch} FROM copied`,
        rowMode: 'array',
      });
      const lines = rows.map((row) => JSON.stringify(row.map(toJson)));
      if (isFirst) lines.unshift(JSON.stringify(fields.map(({ name }) => name)));
      if (lines.length > 0) await file.appendFile(`${lines.join('\n')}\n`);
      if (rows.length < rowsPerFetch) break;
    }
    await client.query('CLOSE copied');
  } finally {
    await file.close();
  }
}

async function makeTables(url: string, schemaVersion: number): Promise<void> {
  const migrations = await loadMigrations(migrationsFolder);
  const pool = new pg.Pool({ connectionString: url, types: typeParsers, max: 1 });
  const db = new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(
      db,
      migrations.filter(({ version }) => version <= schemaVersion),
    );
  } finally {
    await db.destroy();
  }
}

async function fillTable(client: pg.Client, table: string, path: string): Promise<void> {
  // rows that migrations have made are in the copy, too
  await client.query(`DELETE FROM "${table}"`);
  let columns: string[] | undefined;
  let rows: unknown[][] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const values: unknown = JSON.parse(line);
    if (!Array.isArray(values)) throw new BackupRefused(`${path} has a line that is not a row`);
    if (columns === undefined) columns = values.map(String);
    else rows.push(values);
    if (columns.length * (rows.length + 1) > parametersMax) {
      await insertRows(client, table, columns, rows);
      rows = [];
    }
  }
  if (columns !== undefined && rows.length > 0) await insertRows(client, table, columns, rows);
}

async function insertRows(
  client: pg.Client,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  const places = rows.map(
    (_, row) => `(${columns.map((__, column) => `$${row * columns.length + column + 1}`).join(', ')})`,
  );
  const names = columns.map((column) => `"${column}"`).join(', ');
  const text = `INSERT INTO "${table}" (${names}) VALUES ${places.join(', ')}`;
  await client.query(
    text,
    rows.flatMap((row) => row.map((value) => wireValue(fromJson(value)))),
  );
}

function toJson(value: unknown): unknown {
  return Buffer.isBuffer(value) ? { base64: value.toString('base64') } : value;
}

function fromJson(value: unknown): BoundValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'object' && 'base64' in value && typeof value.base64 === 'string')
    return Buffer.from(value.base64, 'base64');
  throw new BackupRefused('the backup has a value of an unknown kind');
}
