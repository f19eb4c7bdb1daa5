import { chmod, copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadMigrations, migrationsFolder } from '../migrate.ts';
import type { DatabaseOptions } from '../open.ts';
import { BackupRefused } from './backup-refused.ts';
import { type Manifest, mediaListFile, readManifest, signingKeyFile } from './manifest.ts';
import { restorePostgres } from './postgres-copy.ts';
import { restoreSqlite } from './sqlite-copy.ts';
import { syncToDisk } from './sync-to-disk.ts';

export interface RestoreTarget {
  readonly database: DatabaseOptions;
  readonly signingKeyPath: string;
  readonly serverName: string;
}

export interface Restored {
  readonly manifest: Manifest;
  readonly droppedOneTimeKeys: number;
  readonly media: number;
}

/**
 * Puts a backup where the configuration says the database and the signing key are; neither may exist there yet (the same key may).
 * Unclaimed one-time keys are dropped: those that were claimed after the backup would be handed out a second time.
 * Throws BackupRefused before anything is changed.
 */
export async function restore(from: string, target: RestoreTarget): Promise<Restored> {
  const manifest = await readManifest(from);
  await refuseOtherServer(manifest, target);
  const isKeyThere = await hasSameKey(join(from, signingKeyFile), target.signingKeyPath);
  const { database } = target;
  const droppedOneTimeKeys =
    database.engine === 'sqlite'
      ? await restoreSqlite(from, database.path)
      : await restorePostgres(from, database.url, manifest.schemaVersion, Object.keys(manifest.files));
  if (!isKeyThere) {
    await mkdir(dirname(target.signingKeyPath), { recursive: true });
    await copyFile(join(from, signingKeyFile), target.signingKeyPath);
    await chmod(target.signingKeyPath, 0o600);
    await syncToDisk(target.signingKeyPath);
    await syncToDisk(dirname(target.signingKeyPath));
  }
  const media = (await readFile(join(from, mediaListFile), 'utf8')).split('\n').filter((line) => line !== '');
  return { manifest, droppedOneTimeKeys, media: media.length };
}

async function refuseOtherServer(manifest: Manifest, target: RestoreTarget): Promise<void> {
  if (manifest.serverName !== target.serverName)
    throw new BackupRefused(
      `the backup is of the server ${manifest.serverName}, and the configuration says server_name: ${target.serverName}`,
    );
  if (manifest.engine !== target.database.engine)
    throw new BackupRefused(
      `the backup is of the engine ${manifest.engine}, and the configuration says database engine: ${target.database.engine}`,
    );
  const newest = (await loadMigrations(migrationsFolder)).length;
  if (manifest.schemaVersion > newest)
    throw new BackupRefused(
      `the backup has schema ${manifest.schemaVersion}, and this program knows schemas up to ${newest}; use the version that made it`,
    );
}

/** Whether the key is there already; another key there is refused. */
async function hasSameKey(backedUp: string, path: string): Promise<boolean> {
  const there = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (there === undefined) return false;
  if (there.trim() !== (await readFile(backedUp, 'utf8')).trim())
    throw new BackupRefused(`${path} is another signing key than the one in the backup; move it away first`);
  return true;
}
