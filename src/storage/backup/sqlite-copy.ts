import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { DatabaseCopy, MediaRow } from './database-copy.ts';
import { BackupRefused } from './backup-refused.ts';
import { afterRestore, remoteKeysTable } from './restore-statements.ts';
import { syncToDisk } from './sync-to-disk.ts';

const databaseFile = 'veche.db';

/** Copies the database into one file. It is read in one step, so that it is of one moment and a busy writer cannot hinder it. */
export async function copySqlite(path: string, folder: string): Promise<DatabaseCopy> {
  if (!existsSync(path)) throw new BackupRefused(`there is no database ${path}: has the server never been started?`);
  const copy = join(folder, databaseFile);
  const source = new Sqlite(path, { readonly: true, fileMustExist: true });
  try {
    await source.backup(copy, { progress: () => 0x7fffffff });
  } finally {
    source.close();
  }
  const connection = new Sqlite(copy);
  try {
    // one file, without a log beside it
    connection.pragma('journal_mode = DELETE');
    const check = connection.pragma('quick_check', { simple: true });
    if (check !== 'ok') throw new BackupRefused(`the database ${path} is damaged: ${String(check)}`);
    const facts = connection.prepare<[], [string, string]>('SELECT name, value FROM server_fact').raw().all();
    const media = connection
      .prepare<[], MediaRow>(
        `SELECT origin, media_id, lower(hex(sha256)) AS sha256, bytes FROM media ORDER BY origin, media_id`,
      )
      .all();
    return { files: [databaseFile], facts: new Map(facts), media };
  } finally {
    connection.close();
  }
}

/** Puts the copy at `path`, where there must be no database. Gives how many one-time keys were dropped. */
export async function restoreSqlite(folder: string, path: string): Promise<number> {
  for (const suffix of ['', '-wal'])
    if (existsSync(path + suffix))
      throw new BackupRefused(`${path}${suffix} exists; move it away first, so that nothing is overwritten`);
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.restoring`;
  try {
    await copyFile(join(folder, databaseFile), draft);
    const dropped = makeRestorable(draft);
    await rename(draft, path);
    await syncToDisk(dirname(path));
    return dropped;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function makeRestorable(path: string): number {
  const connection = new Sqlite(path);
  try {
    connection.pragma('synchronous = FULL');
    return connection.transaction(() => {
      const dropped = connection.prepare(afterRestore.dropOneTimeKeys).run().changes;
      connection.prepare(afterRestore.skipNumbers).run();
      const hasRemoteKeys =
        connection.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(remoteKeysTable) !== undefined;
      if (hasRemoteKeys) connection.prepare(afterRestore.doubtRemoteKeys).run();
      return dropped;
    })();
  } finally {
    connection.close();
  }
}
