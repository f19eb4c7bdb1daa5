import { mkdir, open, opendir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Workers } from '../platform/ports.ts';
import { assertPartialId, BlobMissing, type BlobStore, type ByteRange, type PartialBlob } from './blob-store.ts';
import { ContentWriter } from './content-writer.ts';
import { absent, asFull, syncFolder } from './disk.ts';
import { LocalPartialBlob, readPersistedSize } from './local-partial-blob.ts';

/**
 * A folder on a local disk. `blobs/ab/cd/<hash>` are the published contents, by the first bytes of their hashes in hexadecimal;
 * `partial/<id>` are those that are being written, with `<id>.persisted` beside where a size was promised to survive.
 */
export class LocalBlobStore implements BlobStore {
  readonly #folder: string;
  /** For its unfinished contents. */
  readonly writer: ContentWriter;

  private constructor(folder: string, workers: Workers) {
    this.#folder = folder;
    this.writer = new ContentWriter(workers);
  }

  /** Makes the folder when it is not there. */
  static async open(folder: string, { workers }: { readonly workers: Workers }): Promise<LocalBlobStore> {
    for (const name of ['blobs', 'partial']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    for (const path of [folder, dirname(folder)]) await syncFolder(path);
    return new LocalBlobStore(folder, workers);
  }

  async begin(id: string): Promise<PartialBlob> {
    const path = this.partialPath(id);
    const file = await open(path, 'wx+', 0o600).catch(asFull);
    return new LocalPartialBlob({ id, path, file, sizeBytes: 0, store: this });
  }

  async resume(id: string): Promise<PartialBlob | undefined> {
    const path = this.partialPath(id);
    const sizeBytes = await readPersistedSize(path);
    if (sizeBytes === undefined) return undefined;
    const file = await open(path, 'r+').catch(absent);
    if (file === undefined) return undefined;
    await file.truncate(sizeBytes);
    return new LocalPartialBlob({ id, path, file, sizeBytes, store: this });
  }

  async *partialIds(): AsyncIterable<string> {
    for await (const { name } of await opendir(join(this.#folder, 'partial'))) if (!name.includes('.')) yield name;
  }

  async discard(id: string): Promise<void> {
    const path = this.partialPath(id);
    await rm(path, { force: true });
    await rm(`${path}.persisted`, { force: true });
  }

  async findSize(sha256: Buffer): Promise<number | undefined> {
    return (await stat(this.blobPath(sha256)).catch(absent))?.size;
  }

  async open(sha256: Buffer, range?: ByteRange): Promise<Readable> {
    const file = await open(this.blobPath(sha256), 'r').catch(absent);
    if (file === undefined) throw new BlobMissing(`${sha256.toString('hex')} is not in the blob store`);
    // Of a stream, `end` is the last byte.
    return file.createReadStream({
      highWaterMark: readBytes,
      ...(range === undefined ? {} : { start: range.start, end: range.end - 1 }),
    });
  }

  async remove(sha256: Buffer): Promise<void> {
    await rm(this.blobPath(sha256), { force: true });
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  async close(): Promise<void> {
    await this.writer.close();
  }

  /** For its unfinished contents: where a published one is. */
  blobPath(sha256: Buffer): string {
    const hex = sha256.toString('hex');
    return join(this.#folder, 'blobs', hex.slice(0, 2), hex.slice(2, 4), hex);
  }

  /** Where an unfinished content is. Throws RangeError for what is no id. */
  partialPath(id: string): string {
    assertPartialId(id);
    return join(this.#folder, 'partial', id);
  }
}

/** Of a stream: as much as many readers at once may have in memory each. */
const readBytes = 65_536;
