import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupRefused } from './backup-refused.ts';

/** What a backup is; the file backup.json in its folder. */
export interface Manifest {
  readonly format: 1;
  readonly engine: 'sqlite' | 'postgres';
  readonly serverName: string;
  readonly schemaVersion: number;
  readonly createdTs: number;
  /** SHA-256 in hexadecimal of every other file, by its path in the folder. */
  readonly files: Readonly<Record<string, string>>;
}

export const manifestFile = 'backup.json';
export const signingKeyFile = 'signing.key';
export const mediaListFile = 'media.jsonl';

/** Throws BackupRefused when the folder is no backup, or a file of it is missing or changed. */
export async function readManifest(folder: string): Promise<Manifest> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readFile(join(folder, manifestFile), 'utf8'));
  } catch (cause) {
    throw new BackupRefused(`${folder} is not a backup: ${join(folder, manifestFile)} cannot be read`, { cause });
  }
  if (!isManifest(manifest))
    throw new BackupRefused(`${folder} was made by a version of veche that this one does not understand`);
  for (const [file, expected] of Object.entries(manifest.files)) {
    const found = await fileHash(join(folder, file)).catch(() => 'nothing');
    if (found !== expected)
      throw new BackupRefused(`the backup is damaged: ${join(folder, file)} is missing or not as it was written`);
  }
  return manifest;
}

export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Partial<Record<keyof Manifest, unknown>> = value;
  return (
    fields.format === 1 &&
    (fields.engine === 'sqlite' || fields.engine === 'postgres') &&
    typeof fields.serverName === 'string' &&
    typeof fields.schemaVersion === 'number' &&
    typeof fields.createdTs === 'number' &&
    typeof fields.files === 'object' &&
    fields.files !== null &&
    Object.values(fields.files).every((hash) => typeof hash === 'string')
  );
}
