/** Resumable uploads and time, and what a process that is killed at the worst moments leaves. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { type BlobStore, BlobStoreFull, type PartialBlob } from '../../src/media/blob-store.ts';
import type { MediaContext } from '../../src/media/context.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { mediaMetrics } from '../../src/media/media-metrics.ts';
import { PendingContents } from '../../src/media/pending-contents.ts';
import { ResumableUploads, type UploadPart } from '../../src/media/resumable/resumable-uploads.ts';
import { uploadIdOf } from '../../src/media/resumable/upload-token.ts';
import { StoredBlobs } from '../../src/media/stored-blobs.ts';
import { UserQuotas } from '../../src/media/user-quotas.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import type { Database } from '../../src/storage/database.ts';
import { Names } from '../../src/storage/names.ts';
import { insertAccount } from '../../src/storage/stores/account-store.ts';
import { mediaAt } from '../../src/storage/stores/media-store.ts';
import { setUploadReceived, uploadAt } from '../../src/storage/stores/upload-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { noRemote } from './support/no-remote.ts';
import { localServersOfTests } from '../support/test-accounts.ts';
import { type TestPorts, testPorts } from '../support/test-ports.ts';
import { bytesOf } from './blob-store-contract.ts';

const userId = '@alice:test' as UserId;
const hourMs = 3_600_000;
const bytes = bytesOf(3_000_000);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-resumable-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describeOnBothEngines('resumable uploads', (engine) => {
  let db: Database;
  let ports: TestPorts;
  let ctx: MediaContext;
  let uploads: ResumableUploads;
  let user: { readonly userId: UserId; readonly userNid: number };
  const stores: LocalBlobStore[] = [];

  /** As a process does when it starts. */
  const open = async (): Promise<void> => {
    const store = await LocalBlobStore.open(folder, ports);
    stores.push(store);
    const { clock, timers, random } = ports;
    ctx = {
      db,
      clock,
      timers,
      random,
      names: new Names(db),
      localServers: localServersOfTests(),
      settings: {
        uploadBytesMax: 10_000_000,
        remoteBytesMax: undefined,
        freeBytesMin: 0,
        pendingUploadsMax: 10,
        pendingUploadHours: 24,
        resumableUploadsMax: 3,
        resumableUploadHours: 24,
      },
      blobs: new StoredBlobs({ db, store, clock, random, freeBytesMin: 0 }),
      quotas: new UserQuotas({ db, userBytesMax: undefined, userFilesMax: undefined, infoUri: '' }),
      pending: new PendingContents(db, timers),
      remote: noRemote,
      metrics: mediaMetrics(new Metrics({ process: false })),
      scans: undefined,
      onStored: () => undefined,
      onFailed: (error) => {
        throw error;
      },
    };
    uploads = new ResumableUploads(ctx);
    await ctx.blobs.collectDebris();
    await uploads.start();
  };
  beforeEach(async () => {
    ports = testPorts();
    db = await engine.open({ ports });
    await open();
    const userNid = await ctx.names.userNid(userId);
    const account = { localpart: 'alice', kind: 'user', userType: null, passwordHash: null, admin: 0, createdTs: 0 };
    await db.write((unit) => unit.run(insertAccount, { ...account, user: userNid })).committed;
    user = { userId, userNid };
  });
  afterEach(async () => {
    await uploads.close();
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  const create = () =>
    uploads.create(user, { contentType: 'text/plain', fileName: 'a', lengthBytes: bytes.length, uri: undefined });
  const part = (offsetBytes: number, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): UploadPart => ({
    offsetBytes,
    lengthBytes: undefined,
    isLast: 'at-length',
    body: { chunks: () => asAsync(chunks), cut: () => undefined },
  });
  const rowOf = (token: string) => db.one(uploadAt, { id: uploadIdOf(token) ?? '' });
  const isFilled = async (token: string): Promise<boolean> => {
    const row = await rowOf(token);
    const media = await db.one(mediaAt, { origin: row?.origin ?? '', mediaId: row?.media_id ?? '' });
    return media?.bytes === bytes.length && media.sha256 !== null;
  };
  const partials = (): readonly string[] => readdirSync(join(folder, 'partial'));

  it('complete after an hour and after days on one connection', async () => {
    const { token } = await create();
    async function* slowly(): AsyncIterable<Buffer> {
      for (let at = 0; at < bytes.length; at += 50_000) {
        await ports.advance(hourMs);
        yield bytes.subarray(at, at + 50_000);
      }
    }
    const progress = await uploads.append(token, undefined, part(0, slowly()));
    expect(progress).toMatchObject({ isComplete: true, offsetBytes: bytes.length });
    expect(await isFilled(token)).toBe(true);
  });

  it('go when nobody continues them, with what was received, and leave room for others', async () => {
    const { token } = await create();
    await uploads.append(token, undefined, part(0, [bytes.subarray(0, 10)]));
    await ports.advance(23 * hourMs);
    await uploads.append(token, undefined, part(10, [bytes.subarray(10, 20)]));
    await ports.advance(23 * hourMs);
    expect((await uploads.get(token, undefined, { completes: true })).offsetBytes).toBe(20);
    await ports.advance(2 * hourMs);
    await expect(uploads.get(token, undefined, { completes: true })).rejects.toMatchObject({ status: 404 });
    await uploads.sweep();
    expect(await rowOf(token)).toBeUndefined();
    expect(partials()).toEqual([]);
  });

  it('find a full disk, keep what was promised, and continue once there is room', async () => {
    const { token } = await create();
    await uploads.append(token, undefined, part(0, [bytes.subarray(0, 500_000)]));
    const { store } = ctx.blobs;
    const full: BlobStore = {
      begin: () => Promise.reject(new BlobStoreFull('no room')),
      resume: async (id) => {
        const partial = await store.resume(id);
        if (partial === undefined) return undefined;
        const { append } = partial;
        const limited = async (chunk: Buffer): Promise<void> => {
          if (partial.sizeBytes + chunk.length > 1_000_000) throw new BlobStoreFull('no room');
          await append.call(partial, chunk);
        };
        return Object.assign(partial, { append: limited });
      },
      partialIds: () => store.partialIds(),
      discard: (id) => store.discard(id),
      findSize: (sha256) => store.findSize(sha256),
      open: (sha256, range) => store.open(sha256, range),
      remove: (sha256) => store.remove(sha256),
      freeBytes: async () => 0,
    };
    const { clock, random } = ports;
    const without = new ResumableUploads({
      ...ctx,
      blobs: new StoredBlobs({ db, store: full, clock, random, freeBytesMin: 1 }),
    });
    const refused = { status: 507, errcode: 'M_UNKNOWN' };
    await expect(
      without.create(user, { contentType: undefined, fileName: undefined, lengthBytes: 10, uri: undefined }),
    ).rejects.toMatchObject(refused);
    const rest = [bytes.subarray(500_000, 900_000), bytes.subarray(900_000)];
    await expect(without.append(token, undefined, part(500_000, rest))).rejects.toMatchObject(refused);
    const { offsetBytes } = await uploads.get(token, undefined, { completes: true });
    expect([500_000, 900_000]).toContain(offsetBytes);
    const progress = await uploads.append(token, undefined, part(offsetBytes, [bytes.subarray(offsetBytes)]));
    expect(progress).toMatchObject({ isComplete: true });
    expect(await isFilled(token)).toBe(true);
    await without.close();
  });

  it('are few at once', async () => {
    await Promise.all([create(), create(), create()]);
    await expect(create()).rejects.toMatchObject({ errcode: 'M_LIMIT_EXCEEDED' });
    await ports.advance(25 * hourMs);
    await uploads.sweep();
    await expect(create()).resolves.toMatchObject({ progress: { offsetBytes: 0 } });
  });

  it('continue behind what was promised when the process is killed while bytes come', async () => {
    const { token } = await create();
    let promised = 0;
    const { promise: isKilled, resolve: kill } = Promise.withResolvers<void>();
    async function* forever(): AsyncIterable<Buffer> {
      yield bytes.subarray(0, 1_000_000);
      await ports.advance(5_000);
      yield bytes.subarray(1_000_000, 1_500_000);
      yield bytes.subarray(1_500_000, 1_600_000);
      kill();
      await new Promise(() => undefined);
    }
    void uploads.append(token, undefined, {
      ...part(0, forever()),
      onProgress: (offsetBytes) => (promised = offsetBytes),
    });
    await isKilled;
    expect(promised).toBe(1_500_000);
    await open();
    const { offsetBytes } = await uploads.get(token, undefined, { completes: true });
    expect(offsetBytes).toBe(promised);
    await uploads.append(token, undefined, part(offsetBytes, [bytes.subarray(offsetBytes)]));
    expect(await isFilled(token)).toBe(true);
  });

  describe('that were received to their end when the process was killed', () => {
    const received = async (): Promise<{ token: string; partial: PartialBlob }> => {
      const { token } = await create();
      const partial = await ctx.blobs.store.resume(uploadIdOf(token) ?? '');
      if (partial === undefined) throw new Error('nothing was begun');
      await partial.append(Buffer.copyBytesFrom(bytes));
      await partial.persist();
      return { token, partial };
    };

    it('complete when somebody asks for them', async () => {
      const { token } = await received();
      await open();
      expect(await uploads.get(token, undefined, { completes: false })).toMatchObject({ isComplete: false });
      expect(await uploads.get(token, undefined, { completes: true })).toMatchObject({ isComplete: true });
      expect(await isFilled(token)).toBe(true);
    });

    it('complete at the start when their content was announced and stored', async () => {
      const { token, partial } = await received();
      await expect(
        ctx.blobs.keep(
          partial,
          () => {
            throw new Error('killed');
          },
          {
            announce: (unit, { sha256, sizeBytes }) =>
              unit.run(setUploadReceived, { id: partial.id, sha256, bytes: sizeBytes }),
            isRetried: true,
          },
        ),
      ).rejects.toThrow('killed');
      expect(partials()).not.toContain(partial.id);
      await open();
      expect(await uploads.get(token, undefined, { completes: false })).toMatchObject({ isComplete: true });
      expect(await isFilled(token)).toBe(true);
    });
  });
});

async function* asAsync(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer, void> {
  // Their memory is given away.
  for await (const chunk of chunks) yield Buffer.copyBytesFrom(chunk);
}
