import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MultipartUpload } from './s3-bucket.ts';

/**
 * Which uploads in parts are under way, as small files in a folder, so that the next start can end what a killed process left
 * in the bucket, where parts are not seen and cost money. A power cut may lose the newest of them.
 */
export class MultipartJournal {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder when it is not there. */
  static async open(folder: string): Promise<MultipartJournal> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new MultipartJournal(folder);
  }

  async note(upload: MultipartUpload): Promise<void> {
    await writeFile(this.#pathOf(upload), JSON.stringify(upload), { mode: 0o600 });
  }

  async forget(upload: MultipartUpload): Promise<void> {
    await rm(this.#pathOf(upload), { force: true });
  }

  /** All that were noted and not forgotten. What a power cut left half-written is removed. */
  async load(): Promise<readonly MultipartUpload[]> {
    const uploads: MultipartUpload[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const upload = parse(await readFile(path, 'utf8'));
      if (upload === undefined) await rm(path);
      else uploads.push(upload);
    }
    return uploads;
  }

  #pathOf({ uploadId }: MultipartUpload): string {
    return join(this.#folder, createHash('sha256').update(uploadId).digest('hex').slice(0, 32));
  }
}

function parse(text: string): MultipartUpload | undefined {
  try {
    const { key, uploadId } = JSON.parse(text) as { readonly key?: unknown; readonly uploadId?: unknown };
    return typeof key === 'string' && typeof uploadId === 'string' ? { key, uploadId } : undefined;
  } catch {
    return undefined;
  }
}
