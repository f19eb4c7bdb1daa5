/** Databases for specs: each is fresh, and everything is closed and removed after the test that asked for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, describe, inject } from 'vitest';
import type { Ports } from '../../src/platform/ports.ts';
import type { GroupCommitDatabase } from '../../src/storage/group-commit.ts';
import { type DatabaseOptions, openDatabase } from '../../src/storage/open.ts';
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
  describe(`${title} (SQLite)`, () => specs(testEngine('sqlite', sqliteFile)));
  describe(`${title} (PostgreSQL)`, () => specs(testEngine('postgres', postgresDatabase)));
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
      return openAs(inMemory ? { engine: 'sqlite', path: ':memory:' } : await freshPlace(true), ports);
    },
    optionsOf: (db) => entryOf(db).options,
    async reopen(db) {
      const entry = entryOf(db);
      await db.close();
      return openAs(entry.options, entry.ports);
    },
  };
}

async function sqliteFile(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-spec-'));
  return {
    options: { engine: 'sqlite', path: join(folder, 'veche.db') },
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function postgresDatabase(migrated: boolean): Promise<Place> {
  const used = migrated ? usedDatabases.pop() : undefined;
  const name = used ?? `spec_${process.pid}_${++databaseCount}`;
  const url = postgresUrl(name, await socketFolder());
  const client = await administration();
  if (used === undefined)
    await client.query(
      `CREATE DATABASE ${name} TEMPLATE ${migrated ? migratedTemplate : 'template0'} STRATEGY file_copy`,
    );
  else await makeLikeNew(url);
  return {
    options: { engine: 'postgres', url },
    async remove() {
      if (migrated) usedDatabases.push(name);
      else await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** Migrated databases that a test is done with; emptying one is quicker than making another. */
const usedDatabases: string[] = [];

async function makeLikeNew(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const tables = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('server_fact', 'sequence')`,
  );
  await client.query(`${tables.rows.map(({ name }) => `DELETE FROM ${name};`).join(' ')}
    DELETE FROM server_fact WHERE name NOT LIKE 'schema_%';
    DELETE FROM sequence WHERE name = 'group'; UPDATE sequence SET reserved_until = 1`);
  await client.end();
}

let databaseCount = 0;
let administrator: Promise<pg.Client> | undefined;
let folder: Promise<string> | undefined;

/** A connection to the test run's PostgreSQL that makes databases and ends other connections. */
export function administration(): Promise<pg.Client> {
  administrator ??= (async () => {
    const client = new pg.Client({ connectionString: postgresUrl('postgres', await socketFolder()) });
    await client.connect();
    return client;
  })();
  return administrator;
}
afterAll(async () => {
  const client = await administrator;
  administrator = undefined;
  await client?.end();
});

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
