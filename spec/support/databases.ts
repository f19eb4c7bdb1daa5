/** Databases for specs: each is fresh, and everything is closed and removed after the test that asked for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, inject } from 'vitest';
import type { Ports } from '../../src/platform/ports.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { type DatabaseOptions, openDatabase } from '../../src/storage/open.ts';
import { migratedImage } from './migrated-image.ts';
import { migratedTemplate, postgresUrl } from './postgres-names.ts';
import { testPorts } from './test-ports.ts';

export interface TestEngine {
  readonly name: 'sqlite' | 'postgres';
  /** A fresh database with all migrations. SQLite: in memory, unless `reopenable`, then a file. */
  open(options?: {
    readonly reopenable?: boolean;
    readonly ports?: Pick<Ports, 'timers' | 'workers'>;
  }): Promise<GroupCommitDatabase>;
  /** Closes the database and opens the same data again, as a restart does. It must have been opened as reopenable. */
  reopen(db: GroupCommitDatabase): Promise<GroupCommitDatabase>;
  /** Where a database that was opened as reopenable is. */
  optionsOf(db: GroupCommitDatabase): DatabaseOptions;
  /** How to open a fresh, empty database, for specs that open it themselves. */
  freshOptions(): Promise<DatabaseOptions>;
}

/** Runs the same specs on both engines. */
export function describeOnBothEngines(title: string, specs: (engine: TestEngine) => void): void {
  onSqlite(`${title} (SQLite)`, specs);
  onPostgres(`${title} (PostgreSQL)`, specs);
}

export function onSqlite(title: string, specs: (engine: TestEngine) => void): void {
  describe(title, () => specs(testEngine('sqlite', sqliteFile)));
}

export function onPostgres(title: string, specs: (engine: TestEngine) => void): void {
  describe(title, () => specs(testEngine('postgres', postgresDatabase)));
}

interface Opened {
  readonly db: GroupCommitDatabase;
  readonly options: DatabaseOptions;
  readonly ports: Pick<Ports, 'timers' | 'workers'>;
}

interface Place {
  readonly options: DatabaseOptions;
  remove(): Promise<void>;
}

function testEngine(name: TestEngine['name'], makePlace: (migrated: boolean) => Promise<Place>): TestEngine {
  const opened: Opened[] = [];
  const places: Place[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ db }) => db.close()));
    await Promise.all(places.splice(0).map((place) => place.remove()));
  });
  const openAs = async (options: DatabaseOptions, ports: Opened['ports']): Promise<GroupCommitDatabase> => {
    const db = await openDatabase(options, ports);
    opened.push({ db, options, ports });
    return db;
  };
  const entryOf = (db: GroupCommitDatabase): Opened => {
    const entry = opened.find((candidate) => candidate.db === db);
    if (entry === undefined) throw new Error('the database was not opened by this engine in this test');
    return entry;
  };
  const freshPlace = async (migrated: boolean): Promise<DatabaseOptions> => {
    const place = await makePlace(migrated);
    places.push(place);
    return place.options;
  };
  return {
    name,
    freshOptions: () => freshPlace(false),
    async open({ reopenable = false, ports = testPorts() } = {}) {
      const inMemory = name === 'sqlite' && !reopenable;
      if (!inMemory) return openAs(await freshPlace(true), ports);
      return openAs({ engine: 'sqlite', path: ':memory:', image: await migratedImage() }, ports);
    },
    optionsOf: (db) => entryOf(db).options,
    async reopen(db) {
      const entry = entryOf(db);
      await db.close();
      return openAs(entry.options, entry.ports);
    },
  };
}

async function sqliteFile(migrated: boolean): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-spec-'));
  const path = join(folder, 'veche.db');
  if (migrated) writeFileSync(path, await migratedImage());
  return {
    options: { engine: 'sqlite', path },
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function postgresDatabase(migrated: boolean): Promise<Place> {
  const used = migrated ? usedDatabases.pop() : undefined;
  if (used !== undefined) {
    await inDatabase(used.url, (client) => client.query(used.cleaning));
    return { options: { engine: 'postgres', url: used.url }, remove: () => giveBack(used) };
  }
  const name = `spec_${process.pid}_${++databaseCount}`;
  const url = postgresUrl(name, await socketFolder());
  const client = await administration();
  const template = migrated ? migratedTemplate : 'template0';
  await client.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  const options: DatabaseOptions = { engine: 'postgres', url };
  if (!migrated) return { options, remove: () => dropDatabase(name) };
  const cleaning = await inDatabase(url, cleaningOf);
  return { options, remove: () => giveBack({ name, url, cleaning, usesLeft: usesMax }) };
}

interface UsedDatabase {
  readonly name: string;
  readonly url: string;
  readonly cleaning: string;
  readonly usesLeft: number;
}

/** Migrated databases that a test is done with; emptying one is quicker than making another. */
const usedDatabases: UsedDatabase[] = [];

/** Deleted rows take space that is searched, and nothing vacuums here. */
const usesMax = 25;

async function giveBack(used: UsedDatabase): Promise<void> {
  if (used.usesLeft > 1) usedDatabases.push({ ...used, usesLeft: used.usesLeft - 1 });
  else await dropDatabase(used.name);
}

async function dropDatabase(name: string): Promise<void> {
  const client = await administration();
  await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
}

/** What makes a database like it is now again, for one that is new. */
async function cleaningOf(client: pg.Client): Promise<string> {
  const tables = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'sequence'`,
  );
  const facts = await client.query<{ name: string; value: string }>('SELECT name, value FROM server_fact');
  return [
    ...tables.rows.map(({ name }) => `DELETE FROM ${name};`),
    ...facts.rows.map(({ name, value }) => `INSERT INTO server_fact (name, value) VALUES ('${name}', '${value}');`),
    `DELETE FROM sequence WHERE name = 'group'; UPDATE sequence SET reserved_until = 1;`,
  ].join(' ');
}

async function inDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

let databaseCount = 0;
let administrator: Promise<pg.Client> | undefined;
let folder: Promise<string> | undefined;

/** A connection to the test run's PostgreSQL that makes databases and ends other connections. */
export function administration(): Promise<pg.Client> {
  administrator ??= (async () => {
    const client = new pg.Client({ connectionString: postgresUrl('postgres', await socketFolder()) });
    await client.connect();
    // Never closed: it serves all spec files that the process runs, and ends with it.
    return client;
  })();
  return administrator;
}

/** Starts the test run's PostgreSQL when this is the first to ask. */
function socketFolder(): Promise<string> {
  folder ??= new Promise((resolve, reject) => {
    let said = '';
    const door = connect(inject('postgresDoor'));
    door.on('error', reject);
    door.on('data', (chunk: Buffer) => void (said += chunk.toString()));
    door.on('end', () => {
      const answer: { folder?: string; error?: string } = JSON.parse(said);
      if (answer.folder === undefined) reject(new Error(`PostgreSQL cannot run: ${answer.error}`));
      else resolve(answer.folder);
    });
  });
  return folder;
}
