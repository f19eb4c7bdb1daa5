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

function testEngine(name: TestEngine['name'], freshOptions: () => Promise<DatabaseOptions>): TestEngine {
  const opened: Opened[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ db }) => db.close()));
  });
  const openAs = async (options: DatabaseOptions, ports: Opened['ports']): Promise<GroupCommitDatabase> => {
    const db = await openDatabase(options, ports);
    opened.push({ db, options, ports });
    return db;
  };
  return {
    name,
    freshOptions,
    async open({ reopenable = false, ports = testPorts() } = {}) {
      const inMemory = name === 'sqlite' && !reopenable;
      return openAs(inMemory ? { engine: 'sqlite', path: ':memory:' } : await freshOptions(), ports);
    },
    async reopen(db) {
      const entry = opened.find((candidate) => candidate.db === db);
      if (entry === undefined) throw new Error('the database was not opened by this engine in this test');
      await db.close();
      return openAs(entry.options, entry.ports);
    },
  };
}

async function sqliteFile(): Promise<DatabaseOptions> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-spec-'));
  folders.push(folder);
  return { engine: 'sqlite', path: join(folder, 'veche.db') };
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function postgresDatabase(): Promise<DatabaseOptions> {
  const name = `spec_${process.pid}_${++databaseCount}`;
  await (await administration()).query(`CREATE DATABASE ${name} TEMPLATE template0 STRATEGY file_copy`);
  return { engine: 'postgres', url: postgresUrl(name, await socketFolder()) };
}

let databaseCount = 0;
let client: Promise<pg.Client> | undefined;
let folder: Promise<string> | undefined;

/** A connection that makes databases and ends other connections. */
export function administration(): Promise<pg.Client> {
  client ??= (async () => {
    const connected = new pg.Client({ connectionString: postgresUrl('postgres', await socketFolder()) });
    await connected.connect();
    return connected;
  })();
  return client;
}
afterAll(async () => {
  await (await client)?.end();
  client = undefined;
});

function postgresUrl(database: string, socket: string): string {
  return `postgres://postgres@/${database}?host=${encodeURIComponent(socket)}`;
}

/** Starts the test run's PostgreSQL when it is the first to ask. */
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
