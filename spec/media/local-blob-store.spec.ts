import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import { bytesOf, describeBlobStore, readAll } from './blob-store-contract.ts';

const workers = threadWorkers;

describeBlobStore('a folder as a blob store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-blobs-'));
  const stores = [await LocalBlobStore.open(folder, { workers })];
  const [store] = stores;
  if (store === undefined) throw new Error('no store');
  return {
    store,
    async reopen() {
      const again = await LocalBlobStore.open(folder, { workers });
      stores.push(again);
      return again;
    },
    async close() {
      await Promise.all(stores.map((one) => one.close()));
      rmSync(folder, { recursive: true });
    },
  };
});

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

it('keeps contents in folders by the first bytes of their hashes, for nobody else to read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-blobs-'));
  folders.push(folder);
  const store = await LocalBlobStore.open(join(folder, 'deep/down'), { workers });
  const partial = await store.begin('a');
  await partial.append(bytesOf(5));
  const { sha256 } = await partial.seal();
  await partial.publish();
  const hex = sha256.toString('hex');
  const path = join(folder, 'deep/down/blobs', hex.slice(0, 2), hex.slice(2, 4), hex);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'deep/down/partial'))).toEqual([]);
  await store.close();
});

it('writes what is small and what is large in pieces of any size, persisted or not, with the right hash', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-blobs-'));
  folders.push(folder);
  const store = await LocalBlobStore.open(folder, { workers });
  const bytes = bytesOf(3_000_000);
  for (const [index, { pieceBytes, sizeBytes, persistedEvery }] of [
    { pieceBytes: 7, sizeBytes: 300_000, persistedEvery: Infinity },
    { pieceBytes: 262_144, sizeBytes: 262_144, persistedEvery: Infinity },
    { pieceBytes: 262_144, sizeBytes: 262_145, persistedEvery: Infinity },
    { pieceBytes: 10_000, sizeBytes: 200_000, persistedEvery: 3 },
    { pieceBytes: 10_000, sizeBytes: 600_000, persistedEvery: 7 },
    { pieceBytes: 1_500_000, sizeBytes: 3_000_000, persistedEvery: 1 },
  ].entries()) {
    const partial = await store.begin(`a${index}`);
    for (let at = 0, count = 1; at < sizeBytes; at += pieceBytes, count++) {
      await partial.append(Buffer.copyBytesFrom(bytes, at, Math.min(pieceBytes, sizeBytes - at)));
      if (count % persistedEvery === 0) expect(await partial.persist()).toBe(Math.min(at + pieceBytes, sizeBytes));
    }
    const content = bytes.subarray(0, sizeBytes);
    const sha256 = createHash('sha256').update(content).digest();
    expect(await partial.seal()).toEqual({ sha256, sizeBytes });
    await partial.publish();
    expect((await readAll(await store.open(sha256))).equals(content)).toBe(true);
  }
  await store.close();
});

it('takes the memory of what it is given, and copies what shares its memory with others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-blobs-'));
  folders.push(folder);
  const store = await LocalBlobStore.open(folder, { workers });
  const [whole, shared] = [bytesOf(300_000), bytesOf(600_000)];
  const partial = await store.begin('a');
  await partial.append(whole);
  await partial.append(shared.subarray(0, 300_000));
  const { sha256 } = await partial.seal();
  expect(whole.length).toBe(0);
  expect(shared.equals(bytesOf(600_000))).toBe(true);
  const both = Buffer.concat([bytesOf(300_000), shared.subarray(0, 300_000)]);
  expect(sha256).toEqual(createHash('sha256').update(both).digest());
  await store.close();
});
