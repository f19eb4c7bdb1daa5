import { open } from 'node:fs/promises';
import { BlobStoreFull } from './blob-store.ts';

/** The names in a folder survive a power cut once this resolves. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Throws BlobStoreFull where the error says that the disk is full, and the error itself otherwise. */
export function asFull(error: unknown): never {
  if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT')
    throw new BlobStoreFull('the disk is full', { cause: error });
  throw error;
}

/** undefined for what is not there; throws every other error. */
export function absent(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined;
  throw error;
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
