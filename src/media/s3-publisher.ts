import { type FileHandle, open } from 'node:fs/promises';
import { Semaphore } from '../platform/semaphore.ts';
import { countTransferred } from '../platform/transfer-memory.ts';
import type { BlobFacts } from './blob-store.ts';
import { asFull } from './disk.ts';
import type { MultipartJournal } from './multipart-journal.ts';
import type { MultipartUpload, S3Bucket } from './s3-bucket.ts';

export interface S3PublisherOptions {
  readonly bucket: S3Bucket;
  readonly journal: MultipartJournal;
  /** Told of what could not be tidied up. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Brings files into a bucket. A piece of a file is in memory as a whole, so that the SDK can send it again; the number of
 * pieces in memory is bounded for all files together.
 */
export class S3Publisher {
  readonly #options: S3PublisherOptions;
  readonly #pieces = new Semaphore(piecesAtOnceMax, Infinity);

  constructor(options: S3PublisherOptions) {
    this.#options = options;
  }

  /** Resolves when the store has all of it under `key`. Throws BlobStoreUnavailable, BlobStoreFull; the file stays in any case. */
  async publish(path: string, key: string, { sizeBytes }: Pick<BlobFacts, 'sizeBytes'>): Promise<void> {
    const file = await open(path, 'r');
    try {
      if (sizeBytes <= partBytesMin) await this.#putWhole(file, key, sizeBytes);
      else await this.#putInParts(file, key, sizeBytes);
    } finally {
      await file.close();
    }
  }

  /** Ends what earlier runs had begun. What cannot be ended now is left to the next start. */
  async abortLeftovers(): Promise<void> {
    for (const upload of await this.#options.journal.load()) await this.#abort(upload);
  }

  async #putWhole(file: FileHandle, key: string, sizeBytes: number): Promise<void> {
    await this.#pieces.run(async () => this.#options.bucket.put(key, await readPiece(file, 0, sizeBytes)));
  }

  async #putInParts(file: FileHandle, key: string, sizeBytes: number): Promise<void> {
    const { bucket, journal } = this.#options;
    // An attempt that seemed to fail may have succeeded.
    if ((await bucket.findSize(key)) === sizeBytes) return;
    const upload = await bucket.beginMultipart(key);
    try {
      await journal.note(upload).catch(asFull);
      const tags = await this.#putParts(file, upload, sizeBytes);
      await this.#complete(upload, tags, sizeBytes);
    } catch (error) {
      await this.#abort(upload);
      throw error;
    }
    await journal.forget(upload);
  }

  async #putParts(file: FileHandle, upload: MultipartUpload, sizeBytes: number): Promise<readonly string[]> {
    const partBytes = partBytesOf(sizeBytes);
    const count = Math.ceil(sizeBytes / partBytes);
    const tags: string[] = [];
    let next = 0;
    let hasFailed = false;
    const putOneByOne = async (): Promise<void> => {
      while (next < count && !hasFailed) {
        const index = next++;
        const start = index * partBytes;
        try {
          tags[index] = await this.#pieces.run(async () => {
            const piece = await readPiece(file, start, Math.min(partBytes, sizeBytes - start));
            return this.#options.bucket.putPart(upload, index + 1, piece);
          });
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }
    };
    // All come to their ends before an upload is aborted: a part that comes later would stay.
    const ends = await Promise.allSettled(Array.from({ length: partsAtOnce }, putOneByOne));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return tags;
  }

  /** The answer may get lost after it is done, and the same request then finds no upload. */
  async #complete(upload: MultipartUpload, tags: readonly string[], sizeBytes: number): Promise<void> {
    const { bucket } = this.#options;
    try {
      await bucket.completeMultipart(upload, tags);
    } catch (error) {
      const stored = await bucket.findSize(upload.key).catch(() => undefined);
      if (stored !== sizeBytes) throw error;
    }
  }

  async #abort(upload: MultipartUpload): Promise<void> {
    const { bucket, journal, onFailed } = this.#options;
    try {
      await bucket.abortMultipart(upload);
      await journal.forget(upload);
    } catch (error) {
      onFailed(error);
    }
  }
}

/** Stores take 10 000 parts of at least 5 MiB, apart from the last. */
export function partBytesOf(sizeBytes: number): number {
  const neededBytes = Math.ceil(sizeBytes / partsMax);
  return Math.max(partBytesMin, Math.ceil(neededBytes / mebibyte) * mebibyte);
}

async function readPiece(file: FileHandle, start: number, lengthBytes: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafeSlow(lengthBytes);
  let filledBytes = 0;
  while (filledBytes < lengthBytes) {
    const { bytesRead } = await file.read(piece, filledBytes, lengthBytes - filledBytes, start + filledBytes);
    if (bytesRead === 0) throw new Error('a received file is shorter than it was');
    filledBytes += bytesRead;
  }
  countTransferred(lengthBytes);
  return piece;
}

const mebibyte = 1_048_576;
const partBytesMin = 8 * mebibyte;
const partsMax = 10_000;
/** Of one file. */
const partsAtOnce = 2;
const piecesAtOnceMax = 6;
