import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Timers, Workers } from '../platform/ports.ts';
import type { BlobStore, ByteRange, PartialBlob } from './blob-store.ts';
import { LocalBlobStore } from './local-blob-store.ts';
import { MultipartJournal } from './multipart-journal.ts';
import { S3Bucket, type S3Settings } from './s3-bucket.ts';
import { S3PartialBlob } from './s3-partial-blob.ts';
import { S3Publisher } from './s3-publisher.ts';

export interface S3BlobStoreOptions {
  /** On a local disk: what is being received, until it is in the bucket. */
  readonly folder: string;
  readonly settings: S3Settings;
  readonly workers: Workers;
  readonly timers: Timers;
  /** Told of what could not be tidied up in the bucket. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * A bucket of an S3-compatible object store. Its keys are the paths below `blobs` of a LocalBlobStore, so that such a folder can be
 * copied into a bucket and back. Contents are received on a local disk by a LocalBlobStore, so that they continue and are hashed as
 * there, and go to the bucket when they are published. docs/decisions/0023-media.md
 */
export class S3BlobStore implements BlobStore {
  readonly #spool: LocalBlobStore;
  readonly #bucket: S3Bucket;
  readonly #publisher: S3Publisher;

  private constructor(spool: LocalBlobStore, bucket: S3Bucket, publisher: S3Publisher) {
    this.#spool = spool;
    this.#bucket = bucket;
    this.#publisher = publisher;
  }

  /** Throws OperatorError when the bucket cannot be used. */
  static async open({ folder, settings, workers, timers, onFailed }: S3BlobStoreOptions): Promise<S3BlobStore> {
    const bucket = await S3Bucket.open(settings, timers);
    const spool = await LocalBlobStore.open(folder, { workers });
    const journal = await MultipartJournal.open(join(folder, 'multipart'));
    const publisher = new S3Publisher({ bucket, journal, onFailed });
    await publisher.abortLeftovers();
    return new S3BlobStore(spool, bucket, publisher);
  }

  async begin(id: string): Promise<PartialBlob> {
    return this.#spooled(await this.#spool.begin(id));
  }

  async resume(id: string): Promise<PartialBlob | undefined> {
    const local = await this.#spool.resume(id);
    return local && this.#spooled(local);
  }

  partialIds(): AsyncIterable<string> {
    return this.#spool.partialIds();
  }

  discard(id: string): Promise<void> {
    return this.#spool.discard(id);
  }

  findSize(sha256: Buffer): Promise<number | undefined> {
    return this.#bucket.findSize(keyOf(sha256));
  }

  open(sha256: Buffer, range?: ByteRange): Promise<Readable> {
    return this.#bucket.open(keyOf(sha256), range);
  }

  remove(sha256: Buffer): Promise<void> {
    return this.#bucket.remove(keyOf(sha256));
  }

  /** Of the disk on which contents are received: what they can run out of first. */
  freeBytes(): Promise<number> {
    return this.#spool.freeBytes();
  }

  async close(): Promise<void> {
    this.#bucket.close();
    await this.#spool.close();
  }

  #spooled(local: PartialBlob): PartialBlob {
    const path = this.#spool.partialPath(local.id);
    return new S3PartialBlob({
      local,
      publish: (facts) => this.#publisher.publish(path, keyOf(facts.sha256), facts),
    });
  }
}

function keyOf(sha256: Buffer): string {
  const hex = sha256.toString('hex');
  return `${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
}
