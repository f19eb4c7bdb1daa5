import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { threadWorkers } from '../../src/platform/workers.ts';
import { bytesOf, describeBlobStore } from './blob-store-contract.ts';

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
