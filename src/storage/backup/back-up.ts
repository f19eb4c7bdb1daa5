import { chmod, copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../../platform/ports.ts';
import type { DatabaseOptions } from '../open.ts';
import { BackupRefused } from './backup-refused.ts';
import { fileHash, type Manifest, manifestFile, mediaListFile, signingKeyFile } from './manifest.ts';
import { copyPostgres } from './postgres-copy.ts';
import { copySqlite } from './sqlite-copy.ts';
import { syncToDisk } from './sync-to-disk.ts';

export interface BackupSource {
  readonly database: DatabaseOptions;
  readonly signingKeyPath: string;
}

/**
 * Copies the database as it is at one moment, the signing key and the list of media into the folder `to`, while the server
 * runs and writes. The folder appears when everything is in it and on disk; it must not exist, or be empty.
 * Throws BackupRefused.
 */
export async function backUp(source: BackupSource, to: string, clock: Pick<Clock, 'nowMs'>): Promise<Manifest> {
  const target = resolve(to);
  await refuseUsedFolder(target);
  const draft = `${target}.unfinished`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    const manifest = await fill(draft, source, clock);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
    await syncToDisk(dirname(target));
    return manifest;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function fill(folder: string, source: BackupSource, clock: Pick<Clock, 'nowMs'>): Promise<Manifest> {
  const { database } = source;
  const createdTs = clock.nowMs();
  const copy =
    database.engine === 'sqlite' ? await copySqlite(database.path, folder) : await copyPostgres(database.url, folder);
  const serverName = copy.facts.get('server_name');
  if (serverName === undefined)
    throw new BackupRefused('the database belongs to no server yet: start the server once, then back it up');
  await copySigningKey(source.signingKeyPath, join(folder, signingKeyFile));
  await writeFile(join(folder, mediaListFile), copy.media.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const files: Record<string, string> = {};
  for (const file of [...copy.files, signingKeyFile, mediaListFile]) {
    files[file] = await fileHash(join(folder, file));
    await syncToDisk(join(folder, file));
  }
  const schemaVersion = Number(copy.facts.get('schema_version'));
  const manifest: Manifest = { format: 1, engine: database.engine, serverName, schemaVersion, createdTs, files };
  await writeFile(join(folder, manifestFile), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await syncToDisk(join(folder, manifestFile));
  await syncToDisk(folder);
  return manifest;
}

async function refuseUsedFolder(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  if (entries.length > 0) throw new BackupRefused(`${folder} is not empty; name a folder that does not exist yet`);
}

async function copySigningKey(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (cause) {
    throw new BackupRefused(`the signing key ${from} cannot be read`, { cause });
  }
  await chmod(to, 0o600);
}
