import { KeyedLock } from '../platform/keyed-lock.ts';
import type { Clock, Random } from '../platform/ports.ts';
import type { Database, UnitBuilder } from '../storage/database.ts';
import {
  announceBlob,
  blobAt,
  forgetBlob,
  settleBlob,
  unsettleBlob,
  unsettledBlobs,
} from '../storage/stores/blob-store.ts';
import { forgetVerdicts } from '../storage/stores/scan-store.ts';
import { deleteThumbnailsOf, thumbnailsOf } from '../storage/stores/thumbnail-store.ts';
import { uploadIds } from '../storage/stores/upload-store.ts';
import { type BlobFacts, type BlobStore, BlobStoreFull, type PartialBlob } from './blob-store.ts';

export interface StoredBlobsOptions {
  readonly db: Database;
  readonly store: BlobStore;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** Room that contents leave to everything else that is on the disk. */
  readonly freeBytesMin: number;
}

export interface KeepOptions {
  readonly announce?: (unit: UnitBuilder, facts: BlobFacts) => void;
  readonly isRetried?: boolean;
}

/**
 * Contents and the rows that refer to them, kept together: a content without a row goes away, and a row without its content
 * cannot come to be, whatever is killed when. A row of table blob stands before the content is put into the store and
 * says `settled` from the commit on in which something refers to it (docs/decisions/0023-media.md).
 */
export class StoredBlobs {
  readonly store: BlobStore;
  readonly #options: StoredBlobsOptions;
  /** By hash: nobody removes a content while somebody else is about to refer to it. */
  readonly #locks = new KeyedLock<string>();
  /** What is being received and was announced with its length. */
  #expectedBytes = 0;

  constructor(options: StoredBlobsOptions) {
    this.store = options.store;
    this.#options = options;
  }

  /** Removes what earlier runs left behind. To be called before anything is received. */
  async collectDebris(): Promise<void> {
    const { db } = this.#options;
    const continued = new Set((await db.all(uploadIds, {})).map(({ upload_id: id }) => id));
    for await (const id of this.store.partialIds()) if (!continued.has(id)) await this.store.discard(id);
    await this.collectUnreferenced();
  }

  /** Removes contents that nothing refers to, because the process was killed or the store did not answer when they were deleted. */
  async collectUnreferenced(): Promise<void> {
    for (const { sha256 } of await this.#options.db.all(unsettledBlobs, {})) await this.release(sha256);
  }

  /**
   * Stores what comes, under no name yet. `lengthBytes`: how much was announced. `onBegun` is told where it can be read while it
   * comes. Throws what `chunks` throws, BlobStoreFull, and then nothing is left of it.
   */
  async receive(
    chunks: AsyncIterable<Buffer>,
    lengthBytes: number | undefined,
    onBegun?: (partial: Pick<PartialBlob, 'read'>) => void,
  ): Promise<PartialBlob> {
    const expectedBytes = lengthBytes ?? 0;
    await this.assertRoomFor(expectedBytes);
    const partial = await this.store.begin(this.newPartialId());
    onBegun?.(partial);
    this.#expectedBytes += expectedBytes;
    try {
      let checkedBytes = 0;
      for await (const chunk of chunks) {
        await partial.append(chunk);
        if (partial.sizeBytes - checkedBytes < checkedEveryBytes) continue;
        checkedBytes = partial.sizeBytes;
        await this.assertRoomFor(0);
      }
      await partial.seal();
      return partial;
    } catch (error) {
      await partial.discard();
      throw error;
    } finally {
      this.#expectedBytes -= expectedBytes;
    }
  }

  /** A name under which nothing was begun. */
  newPartialId(): string {
    return this.#options.random.bytes(16).toString('hex');
  }

  /** Throws BlobStoreFull when so many further bytes would leave too little to everybody else. */
  async assertRoomFor(bytes: number): Promise<void> {
    const freeBytes = await this.store.freeBytes();
    if (freeBytes === undefined) return;
    if (freeBytes - bytes - this.#expectedBytes < this.#options.freeBytesMin)
      throw new BlobStoreFull(`only ${freeBytes} bytes are free`);
  }

  /**
   * Keeps a content for good together with what refers to it: `refer` adds its statements to the unit that makes both true.
   * Resolves when that is on disk. Rejects with UnitFailed, and then neither is true. The partial is used up in any case, or
   * with `isRetried` only when it resolves. `announce` adds to the unit that comes before the content is put into the store.
   */
  async keep(
    partial: PartialBlob,
    refer: (unit: UnitBuilder, facts: BlobFacts) => void,
    { announce, isRetried = false }: KeepOptions = {},
  ): Promise<BlobFacts> {
    const { db, clock } = this.#options;
    let isKept = false;
    try {
      const facts = await partial.seal();
      const { sha256, sizeBytes } = facts;
      await this.#locks.run(sha256.toString('latin1'), async () => {
        const isThere = (await db.one(blobAt, { sha256 }))?.settled === 1 && (await this.#isStored(facts));
        if (!isThere) {
          const announced = { sha256, bytes: sizeBytes, ts: clock.nowMs() };
          await db.write((unit) => {
            unit.run(announceBlob, announced);
            announce?.(unit, facts);
          }).committed;
          await partial.publish();
        }
        await this.#settle(facts, refer);
      });
      isKept = true;
      return facts;
    } finally {
      if (isKept || !isRetried) await partial.discard();
      else await partial.release();
    }
  }

  /** As `keep`, for a content that is in the store already. false: it is not there. */
  async keepStored(facts: BlobFacts, refer: (unit: UnitBuilder, facts: BlobFacts) => void): Promise<boolean> {
    return await this.#locks.run(facts.sha256.toString('latin1'), async () => {
      const isThere = (await this.#options.db.one(blobAt, facts)) !== undefined && (await this.#isStored(facts));
      if (isThere) await this.#settle(facts, refer);
      return isThere;
    });
  }

  async #settle(facts: BlobFacts, refer: (unit: UnitBuilder, facts: BlobFacts) => void): Promise<void> {
    const { sha256 } = facts;
    try {
      await this.#options.db.write((unit) => {
        unit.run(settleBlob, { sha256 });
        refer(unit, facts);
      }).committed;
    } catch (error) {
      await this.#removeUnreferenced(sha256);
      throw error;
    }
  }

  /**
   * To be called once rows that referred to a content are deleted: removes it when nothing refers to it any more, with its
   * thumbnails. Where the unit that deletes those rows runs `unsettleBlob` too, nothing of it outlives the next start
   * even if the process is killed in between.
   */
  async release(sha256: Buffer): Promise<void> {
    const thumbnails = await this.#locks.run(sha256.toString('latin1'), () => this.#removeUnreferenced(sha256));
    // Each under its own lock.
    for (const thumbnail of thumbnails) await this.release(thumbnail);
  }

  /** Of a content that is not there any more. */
  async removeThumbnailsOf(source: Buffer): Promise<void> {
    for (const thumbnail of await this.#forgetThumbnailsOf(source)) await this.release(thumbnail);
  }

  /** The contents of its thumbnails, which are to be released. */
  async #removeUnreferenced(sha256: Buffer): Promise<readonly Buffer[]> {
    const { db } = this.#options;
    const { changes } = await db.write((unit) => unit.run(unsettleBlob, { sha256 })).committed;
    if (changes[0] !== 1) return [];
    const thumbnails = await this.#forgetThumbnailsOf(sha256);
    await this.store.remove(sha256);
    await db.write((unit) => {
      unit.run(forgetBlob, { sha256 });
      unit.run(forgetVerdicts, { content: sha256 });
    }).committed;
    return thumbnails;
  }

  async #forgetThumbnailsOf(source: Buffer): Promise<readonly Buffer[]> {
    const { db } = this.#options;
    const contents = (await db.all(thumbnailsOf, { source })).map(({ sha256 }) => sha256);
    if (contents.length === 0) return [];
    await db.write((unit) => {
      unit.run(deleteThumbnailsOf, { source });
      for (const sha256 of contents) unit.run(unsettleBlob, { sha256 });
    }).committed;
    return contents;
  }

  async #isStored({ sha256, sizeBytes }: BlobFacts): Promise<boolean> {
    return (await this.store.findSize(sha256)) === sizeBytes;
  }
}

const checkedEveryBytes = 67_108_864;
