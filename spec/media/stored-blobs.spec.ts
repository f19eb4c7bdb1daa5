/** Contents and their rows, whatever fails or is killed between them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BlobStore, BlobStoreFull, type PartialBlob } from '../../src/media/blob-store.ts';
import { ContentWriter } from '../../src/media/content-writer.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { LocalPartialBlob } from '../../src/media/local-partial-blob.ts';
import { S3BlobStore } from '../../src/media/s3-blob-store.ts';
import { StoredBlobs } from '../../src/media/stored-blobs.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import type { Database } from '../../src/storage/database.ts';
import { announceBlob, blobAt } from '../../src/storage/stores/blob-store.ts';
import { deleteMedia, insertMedia, mediaAt } from '../../src/storage/stores/media-store.ts';
import { deleteThumbnailsOf, insertThumbnail, thumbnailsOf } from '../../src/storage/stores/thumbnail-store.ts';
import { insertUpload } from '../../src/storage/stores/upload-store.ts';
import { describeOnBothEngines, type TestEngine } from '../support/databases.ts';
import { startS3Server } from '../support/s3-server.ts';
import { seededRandom, testPorts } from '../support/test-ports.ts';
import { bytesOf, readAll } from './blob-store-contract.ts';

const origin = 'test';
const sha256Of = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
async function* piecesOf(bytes: Buffer, sizeBytes = 65_536): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield Buffer.copyBytesFrom(bytes, at, sizeBytes);
}
const rowOf = (mediaId: string, sha256: Buffer, bytes: number) => ({
  origin,
  mediaId,
  sha256,
  bytes,
  contentType: null,
  fileName: null,
  user: null,
  createdTs: 0,
  expiresTs: null,
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-media-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const filesIn = (name: 'blobs' | 'partial'): string[] =>
  readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

interface OpenedStore {
  readonly store: LocalBlobStore | S3BlobStore;
  /** The hashes of all that is published, in hexadecimal. */
  published(): string[];
  /** Behind the back of the store. */
  lose(path: string): void;
  close(): Promise<void>;
}

async function openFolder(): Promise<OpenedStore> {
  const store = await LocalBlobStore.open(folder, testPorts());
  return {
    store,
    published: () => filesIn('blobs'),
    lose: (path) => unlinkSync(join(folder, 'blobs', path)),
    close: () => store.close(),
  };
}

async function openBucket(): Promise<OpenedStore> {
  const s3 = await startS3Server();
  const failures: unknown[] = [];
  const options = { ...testPorts(), folder, settings: s3.settings, onFailed: (error: unknown) => failures.push(error) };
  const store = await S3BlobStore.open(options);
  return {
    store,
    published: () => s3.keys().map((key) => basename(key)),
    lose: (path) => s3.lose(path),
    async close() {
      await store.close();
      await s3.close();
      expect(failures).toEqual([]);
    },
  };
}

describeOnBothEngines('contents in a folder', (engine) => specify(engine, openFolder));
// The object store calls itself a fake: see spec/support/s3-server.ts.
describeOnBothEngines('contents in a bucket', (engine) => specify(engine, openBucket));

function specify(engine: TestEngine, openStore: () => Promise<OpenedStore>): void {
  let db: Database;
  let opened: OpenedStore;
  let store: OpenedStore['store'];
  let blobs: StoredBlobs;
  const blobsOn = (on: BlobStore, freeBytesMin = 0): StoredBlobs =>
    new StoredBlobs({ db, store: on, clock: testPorts().clock, random: seededRandom(String(serial++)), freeBytesMin });
  let serial = 0;
  beforeEach(async () => {
    db = await engine.open();
    opened = await openStore();
    store = opened.store;
    blobs = blobsOn(store);
  });
  afterEach(() => opened.close());

  const keep = async (mediaId: string, bytes: Buffer): Promise<void> => {
    const partial = await blobs.receive(piecesOf(bytes), bytes.length);
    await blobs.keep(partial, (unit, { sha256, sizeBytes }) =>
      unit.run(insertMedia, rowOf(mediaId, sha256, sizeBytes)),
    );
  };
  const drop = async (mediaId: string, sha256: Buffer): Promise<void> => {
    await db.write((unit) => unit.run(deleteMedia, { origin, mediaId })).committed;
    await blobs.release(sha256);
  };

  it('are there when what refers to them is, and once for all who refer to them', async () => {
    const bytes = bytesOf(200_000);
    await Promise.all([keep('a', bytes), keep('b', bytes), keep('c', bytesOf(3))]);
    expect(opened.published()).toHaveLength(2);
    expect(filesIn('partial')).toEqual([]);
    const row = await db.one(mediaAt, { origin, mediaId: 'b' });
    expect(row).toMatchObject({ sha256: sha256Of(bytes), bytes: 200_000 });
    expect(await db.one(blobAt, { sha256: sha256Of(bytes) })).toEqual({ bytes: 200_000, settled: 1 });
    expect((await readAll(await store.open(sha256Of(bytes)))).equals(bytes)).toBe(true);
  });

  it('go when the last that referred to them has gone, a thumbnail too', async () => {
    const bytes = bytesOf(100);
    const sha256 = sha256Of(bytes);
    const small = bytesOf(10);
    await keep('a', bytes);
    await keep('b', bytes);
    const thumbnail = { width: 1, height: 1, method: 'crop', animated: 0, contentType: 'image/png' };
    await blobs.keep(await blobs.receive(piecesOf(bytes), undefined), (unit, facts) =>
      unit.run(insertThumbnail, {
        ...thumbnail,
        source: sha256Of(small),
        sha256: facts.sha256,
        bytes: facts.sizeBytes,
        usedTs: 0,
      }),
    );
    await drop('a', sha256);
    await drop('b', sha256);
    expect(opened.published()).toHaveLength(1);
    expect(await db.all(thumbnailsOf, { source: sha256Of(small) })).toHaveLength(1);
    const { rows } = await db.write((unit) => unit.run(deleteThumbnailsOf, { source: sha256Of(small) })).committed;
    expect(rows[0]).toEqual([{ sha256 }]);
    await blobs.release(sha256);
    expect(opened.published()).toEqual([]);
    expect(await db.one(blobAt, { sha256 })).toBeUndefined();
  });

  it('survive it when they come and go at the same time', async () => {
    const bytes = bytesOf(1_000);
    for (let round = 0; round < 10; round++) {
      await keep('going', bytes);
      await Promise.all([drop('going', sha256Of(bytes)), keep(`coming${round}`, bytes)]);
      expect((await readAll(await store.open(sha256Of(bytes)))).equals(bytes)).toBe(true);
      await drop(`coming${round}`, sha256Of(bytes));
      expect(opened.published()).toEqual([]);
    }
  });

  it('are not kept when what should refer to them cannot be written', async () => {
    const bytes = bytesOf(50);
    await keep('a', bytesOf(51));
    await expect(keep('a', bytes)).rejects.toThrow('did not happen');
    expect(opened.published()).toEqual([sha256Of(bytesOf(51)).toString('hex')]);
    expect(await db.one(blobAt, { sha256: sha256Of(bytes) })).toBeUndefined();
    // The content of somebody else stays.
    await expect(keep('a', bytesOf(51))).rejects.toThrow('did not happen');
    expect(opened.published()).toHaveLength(1);
  });

  it('that a killed process had not finished are gone after a start, those to be continued are not', async () => {
    await keep('a', bytesOf(10));
    const announced = bytesOf(20);
    await db.write((unit) => unit.run(announceBlob, { sha256: sha256Of(announced), bytes: 20, ts: 0 })).committed;
    const published = await store.begin('published');
    await published.append(announced);
    await published.seal();
    await published.publish();
    const never = { sha256: sha256Of(bytesOf(21)), bytes: 21, ts: 0 };
    await db.write((unit) => unit.run(announceBlob, never)).committed;
    await (await store.begin('left')).release();
    await (await store.begin('continued')).release();
    const upload = { origin, mediaId: 'm', user: 1, bytes: null, contentType: null, fileName: null };
    await db.write((unit) => unit.run(insertUpload, { ...upload, uploadId: 'continued', createdTs: 0, expiresTs: 1 }))
      .committed;
    await blobs.collectDebris();
    expect(opened.published()).toEqual([sha256Of(bytesOf(10)).toString('hex')]);
    expect(filesIn('partial').toSorted()).toEqual(['continued', 'continued.persisted']);
    expect(await db.one(blobAt, { sha256: sha256Of(announced) })).toBeUndefined();
    expect(await db.one(blobAt, { sha256: never.sha256 })).toBeUndefined();
  });

  it('that were lost are stored again by the next upload', async () => {
    const bytes = bytesOf(1_000);
    await keep('a', bytes);
    const hex = sha256Of(bytes).toString('hex');
    opened.lose(`${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`);
    await keep('b', bytes);
    expect((await readAll(await store.open(sha256Of(bytes)))).equals(bytes)).toBe(true);
  });

  it('are refused when they would leave too little room, and those that are coming count', async () => {
    const free = await store.freeBytes();
    const careful = blobsOn(store, Math.max(0, free - 1_000_000_000));
    await expect(careful.receive(piecesOf(bytesOf(1)), 2_000_000_000)).rejects.toBeInstanceOf(BlobStoreFull);
    const goOn = Promise.withResolvers<void>();
    async function* slow(): AsyncIterable<Buffer> {
      yield Buffer.from('a');
      await goOn.promise;
    }
    const first = careful.receive(slow(), 700_000_000);
    await expect
      .poll(
        () =>
          careful.assertRoomFor(700_000_000).then(
            () => 'room',
            (error: unknown) => error,
          ),
        { timeout: 30_000 },
      )
      .toBeInstanceOf(BlobStoreFull);
    goOn.resolve();
    await (await first).discard();
    await careful.assertRoomFor(0);
    expect(filesIn('partial')).toEqual([]);
  });

  it('leave nothing when the disk is full in their middle, and everything else stays', async () => {
    await keep('a', bytesOf(10));
    const full = blobsOn(fullAfter(store, 100_000));
    await expect(full.receive(piecesOf(bytesOf(300_000)), undefined)).rejects.toBeInstanceOf(BlobStoreFull);
    expect(filesIn('partial')).toEqual([]);
    expect((await readAll(await store.open(sha256Of(bytesOf(10))))).length).toBe(10);
  });
}

describe('a disk without room', () => {
  it.each([3_000, 3_000_000])('is told as such to %d bytes', async (sizeBytes) => {
    const file = await open('/dev/full', 'w');
    const writer = new ContentWriter(threadWorkers);
    const place = { writer, blobPath: () => '', discard: async () => undefined };
    const partial = new LocalPartialBlob({ id: 'a', path: '/dev/full', file, sizeBytes: 0, store: place });
    const sealed = (async () => {
      for await (const piece of piecesOf(bytesOf(sizeBytes))) await partial.append(piece);
      return partial.seal();
    })();
    await expect(sealed).rejects.toBeInstanceOf(BlobStoreFull);
    await partial.discard();
    await writer.close();
  });
});

/** A store whose disk has no more room after so many bytes of one content. */
function fullAfter(store: BlobStore, bytesMax: number): BlobStore {
  const limited = (partial: PartialBlob): PartialBlob => ({
    id: partial.id,
    get sizeBytes() {
      return partial.sizeBytes;
    },
    async append(chunk) {
      if (partial.sizeBytes + chunk.length > bytesMax) throw new BlobStoreFull('no room');
      await partial.append(chunk);
    },
    read: (start, bytesMax) => partial.read(start, bytesMax),
    persist: () => partial.persist(),
    seal: () => partial.seal(),
    publish: () => partial.publish(),
    release: () => partial.release(),
    discard: () => partial.discard(),
  });
  return {
    begin: async (id) => limited(await store.begin(id)),
    resume: (id) => store.resume(id),
    partialIds: () => store.partialIds(),
    discard: (id) => store.discard(id),
    findSize: (sha256) => store.findSize(sha256),
    open: (sha256, range) => store.open(sha256, range),
    remove: (sha256) => store.remove(sha256),
    freeBytes: () => store.freeBytes(),
  };
}
