import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { Ports } from '../../platform/ports.ts';
import type { Engine } from '../engine.ts';
import { DatabaseRefused } from '../migrate.ts';
import { type SqliteOptions, openWriterConnection } from './connection.ts';
import { inlineSqliteEngine, threadedSqliteEngine } from './sqlite-engine.ts';

/** See `openDatabase`. `prepare` runs first, on the connection that writes. */
export async function openSqliteEngine(
  options: SqliteOptions,
  { timers, workers }: Pick<Ports, 'timers' | 'workers'>,
  prepare: (db: Kysely<never>) => Promise<void>,
): Promise<Engine> {
  const inMemory = options.path === ':memory:';
  if (!inMemory) await mkdir(dirname(options.path), { recursive: true });
  const release = inMemory ? () => {} : lockOut(options.path);
  try {
    const connection = openWriterConnection(options);
    // the connection is closed by who opened it, hence no destroy
    const close = () => {};
    const database = { prepare: (text: string) => connection.prepare(text), close };
    await prepare(new Kysely<never>({ dialect: new SqliteDialect({ database }) }));
    if (inMemory || workers.inline) return inlineSqliteEngine(connection, release);
    connection.close();
    const engine = threadedSqliteEngine(options, workers, timers, release);
    // the thread is there before the first unit, and what keeps it from writing is told here
    await engine.diagnostics();
    return engine;
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Keeps other processes out, as long as this one lives: the sequences and whatever is held in memory would go wrong. The
 * lock is SQLite's own, on a file of its own, so the system releases it however the process ends, and readers are free.
 */
function lockOut(path: string): () => void {
  const lock = new Sqlite(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (!(cause instanceof Sqlite.SqliteError) || cause.code !== 'SQLITE_BUSY') throw cause;
    throw new DatabaseRefused(`another process has the database ${path} open; stop it first`, { cause });
  }
  return () => lock.close();
}
