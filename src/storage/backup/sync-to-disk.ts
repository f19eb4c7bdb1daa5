import { open } from 'node:fs/promises';

/** Resolves when the file, or the folder's list of names, would survive a power cut. */
export async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
