/** Against `@20minutes/s3rver`, which calls itself a fake: see spec/support/s3-server.ts. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobStoreFull, BlobStoreUnavailable, type PartialBlob } from '../../src/media/blob-store.ts';
import { S3BlobStore } from '../../src/media/s3-blob-store.ts';
import type { S3Settings } from '../../src/media/s3-bucket.ts';
import { OperatorError } from '../../src/platform/operator-error.ts';
import { Secret } from '../../src/platform/secret.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import { refuse, type S3Server, secretAccessKeyOfTests, startS3Server } from '../support/s3-server.ts';
import { bytesOf, describeBlobStore, readAll } from './blob-store-contract.ts';

describeBlobStore('a bucket as a blob store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-spool-'));
  const s3 = await startS3Server({ prefix: 'deep/down-' });
  const failures: unknown[] = [];
  const open = () =>
    S3BlobStore.open({ ...ports, folder, settings: s3.settings, onFailed: (error) => failures.push(error) });
  const stores = [await open()];
  const [store] = stores;
  if (store === undefined) throw new Error('no store');
  return {
    store,
    async reopen() {
      const again = await open();
      stores.push(again);
      return again;
    },
    async close() {
      await Promise.all(stores.map((one) => one.close()));
      await s3.close();
      rmSync(folder, { recursive: true });
      if (failures.length > 0) throw new AggregateError(failures, 'the bucket could not be tidied up');
    },
  };
});

const timers = systemTimers;
const workers = threadWorkers;
const ports = { workers, timers };
const large = bytesOf(20_000_000);

describe('a bucket', () => {
  let folder: string;
  let s3: S3Server;
  let failures: unknown[];
  const stores: S3BlobStore[] = [];
  const open = async (settings: Partial<S3Settings> = {}): Promise<S3BlobStore> => {
    const all = { ...s3.settings, ...settings };
    const store = await S3BlobStore.open({
      ...ports,
      folder,
      settings: all,
      onFailed: (error) => failures.push(error),
    });
    stores.push(store);
    return store;
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veche-spool-'));
    s3 = await startS3Server();
    failures = [];
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await s3.close();
    rmSync(folder, { recursive: true });
  });
  const receive = async (store: S3BlobStore, bytes: Buffer): Promise<{ partial: PartialBlob; sha256: Buffer }> => {
    const partial = await store.begin('a');
    await partial.append(Buffer.copyBytesFrom(bytes));
    const { sha256 } = await partial.seal();
    return { partial, sha256 };
  };
  const spooled = (): string[] => [...readdirSync(join(folder, 'partial')), ...readdirSync(join(folder, 'multipart'))];

  it('has the keys that a folder has as paths, and nothing of it stays on the disk', async () => {
    const store = await open({ prefix: 'files/' });
    const { partial, sha256 } = await receive(store, bytesOf(5));
    await partial.publish();
    const hex = sha256.toString('hex');
    expect(s3.keys()).toEqual([`files/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`]);
    expect(spooled()).toEqual([]);
  });

  it('gets what is large in parts, and gives back parts of it', async () => {
    const store = await open();
    const { partial, sha256 } = await receive(store, large);
    await partial.publish();
    expect(s3.requests.filter((request) => request.includes('partNumber='))).toHaveLength(3);
    expect((await readAll(await store.open(sha256))).equals(large)).toBe(true);
    const range = { start: 8_388_600, end: 16_777_300 };
    expect((await readAll(await store.open(sha256, range))).equals(large.subarray(range.start, range.end))).toBe(true);
    expect([spooled(), s3.uploadsLeft(), failures]).toEqual([[], [], []]);
  });

  it('is asked again where it fails for a moment', async () => {
    const store = await open();
    let failuresLeft = 1;
    s3.intercept = ({ method }, response) => {
      if (method === 'GET' || failuresLeft === 0) return false;
      failuresLeft -= 1;
      return refuse(response, 503, 'SlowDown');
    };
    const { partial, sha256 } = await receive(store, bytesOf(1_000));
    await partial.publish();
    expect((await readAll(await store.open(sha256))).equals(bytesOf(1_000))).toBe(true);
  });

  it('that does not take a file leaves it where it was received, and the file goes there later', async () => {
    const store = await open();
    const { partial, sha256 } = await receive(store, large);
    s3.intercept = ({ url = '' }, response) => url.includes('partNumber=2') && refuse(response, 403, 'AccessDenied');
    const failed = partial.publish();
    await expect(failed).rejects.toBeInstanceOf(BlobStoreUnavailable);
    await expect(failed).rejects.toThrow('UploadPart of the object store was answered with 403 AccessDenied');
    await partial.release();
    expect([s3.uploadsLeft(), s3.keys(), failures]).toEqual([[], [], []]);
    s3.intercept = undefined;
    await partial.publish();
    expect((await readAll(await store.open(sha256))).equals(large)).toBe(true);
  });

  it('gets nothing twice where only its last answer was lost', async () => {
    const store = await open();
    const { partial, sha256 } = await receive(store, large);
    let isCompleted = false;
    s3.intercept = ({ method, url = '' }, response) => {
      if (method !== 'POST' || !url.includes('uploadId=')) return false;
      if (isCompleted) return refuse(response, 404, 'NoSuchUpload');
      isCompleted = true;
      // What s3rver answers is not sent.
      response.end = () => response.destroy();
      return false;
    };
    await partial.publish();
    expect(isCompleted).toBe(true);
    expect(await store.findSize(sha256)).toBe(large.length);
    expect([spooled(), failures]).toEqual([[], []]);
  });

  it('is rid of what a killed process left of an upload, at the next start that can', async () => {
    const killed = await open();
    const { partial } = await receive(killed, large);
    s3.intercept = ({ method, url = '' }, response) => {
      if (method === 'DELETE') return refuse(response, 403, 'AccessDenied');
      return url.includes('partNumber=2') && refuse(response, 403, 'AccessDenied');
    };
    await expect(partial.publish()).rejects.toBeInstanceOf(BlobStoreUnavailable);
    expect(s3.uploadsLeft()).toHaveLength(1);
    await open();
    expect(failures.map(String)).toEqual(
      Array(2).fill(
        'BlobStoreUnavailable: AbortMultipartUpload of the object store was answered with 403 AccessDenied',
      ),
    );
    s3.intercept = undefined;
    await open();
    await open();
    expect(s3.uploadsLeft()).toEqual([]);
    expect(readdirSync(join(folder, 'multipart'))).toEqual([]);
    expect(failures).toHaveLength(2);
  });

  it('that is full says so', async () => {
    const { partial } = await receive(await open(), bytesOf(10));
    s3.intercept = ({ method }, response) => method === 'PUT' && refuse(response, 507, 'XMinioStorageFull');
    await expect(partial.publish()).rejects.toBeInstanceOf(BlobStoreFull);
  });

  it('that cuts an answer does not give half a file for a whole one', async () => {
    const store = await open();
    const { partial, sha256 } = await receive(store, bytesOf(1_000_000));
    await partial.publish();
    s3.intercept = ({ method }, response) => {
      if (method !== 'GET') return false;
      response.writeHead(200, { 'content-length': '1000000' });
      response.write(bytesOf(1_000), () => response.destroy());
      return true;
    };
    await expect(readAll(await store.open(sha256))).rejects.toBeInstanceOf(BlobStoreUnavailable);
    s3.intercept = ({ method }, response) => {
      if (method === 'GET') response.writeHead(200, { 'content-length': '1000000' }).end(bytesOf(1_000_000));
      return method === 'GET';
    };
    await expect(store.open(sha256, { start: 1, end: 3 })).rejects.toThrow('another range');
  });

  it('that cannot be used stops the start with what is wrong, and nothing secret', async () => {
    const wrong = [
      [{ bucket: 'nobodys' }, 'the bucket nobodys of media.s3 cannot be used'],
      [{ secretAccessKey: new Secret('wrong-secret') }, 'was answered with 403'],
      [{ endpoint: 'http://127.0.0.1:1' }, 'ECONNREFUSED'],
    ] as const;
    for (const [settings, text] of wrong) {
      const error: unknown = await open(settings).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OperatorError);
      expect(String(error)).toContain(text);
      expect(String(error)).not.toMatch(new RegExp(`wrong-secret|${secretAccessKeyOfTests}`));
    }
  });
});
