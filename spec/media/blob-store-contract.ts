/** What every blob store does. A store of its own kind calls `describeBlobStore` with how to open one. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobMissing, type BlobStore } from '../../src/media/blob-store.ts';

export interface BlobStoreUnderTest {
  readonly store: BlobStore;
  /** Another process on the same data, after the first was killed: nothing of it is asked to end. */
  reopen(): Promise<BlobStore>;
  close(): Promise<void>;
}

export function describeBlobStore(title: string, open: () => Promise<BlobStoreUnderTest>): void {
  describe(title, () => {
    let under: BlobStoreUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.close());

    const publish = async (bytes: Buffer, id = `id${(count += 1)}`): Promise<Buffer> => {
      const partial = await under.store.begin(id);
      await partial.append(Buffer.copyBytesFrom(bytes));
      const { sha256 } = await partial.seal();
      await partial.publish();
      return sha256;
    };

    it('gives back what was written, under its hash and with its size', async () => {
      const bytes = bytesOf(3_000_000);
      const partial = await under.store.begin('a');
      for (let at = 0; at < bytes.length; at += 65_536) await partial.append(bytes.subarray(at, at + 65_536));
      expect(partial.sizeBytes).toBe(bytes.length);
      const facts = await partial.seal();
      expect(facts).toEqual({ sha256: sha256Of(bytes), sizeBytes: bytes.length });
      expect(await partial.seal()).toEqual(facts);
      await expect(under.store.open(facts.sha256)).rejects.toBeInstanceOf(BlobMissing);
      expect(await under.store.findSize(facts.sha256)).toBeUndefined();
      await partial.publish();
      expect(await under.store.findSize(facts.sha256)).toBe(bytes.length);
      expect((await readAll(await under.store.open(facts.sha256))).equals(bytes)).toBe(true);
      expect(await idsOf(under.store)).toEqual([]);
    });

    it('stores what is empty', async () => {
      const sha256 = await publish(Buffer.alloc(0));
      expect(await under.store.findSize(sha256)).toBe(0);
      expect((await readAll(await under.store.open(sha256))).length).toBe(0);
    });

    it('reads parts, the first and the last byte among them', async () => {
      const bytes = bytesOf(200_000);
      const sha256 = await publish(bytes);
      for (const [start, end] of [
        [0, 1],
        [199_999, 200_000],
        [65_535, 65_537],
        [1_000, 190_000],
        [0, 200_000],
      ] as const) {
        const part = await readAll(await under.store.open(sha256, { start, end }));
        expect(part.equals(bytes.subarray(start, end))).toBe(true);
      }
    });

    it('takes the same content twice, and others meanwhile', async () => {
      const bytes = bytesOf(1_000);
      const first = await publish(bytes);
      const [second, other] = await Promise.all([publish(bytes), publish(bytesOf(1_001))]);
      expect(second).toEqual(first);
      expect(other).not.toEqual(first);
      expect((await readAll(await under.store.open(first))).equals(bytes)).toBe(true);
    });

    it('leaves nothing of what is discarded, whenever that is', async () => {
      const unsealed = await under.store.begin('unsealed');
      void unsealed.append(bytesOf(2_000_000)).catch(() => undefined);
      await unsealed.discard();
      await expect(unsealed.append(bytesOf(1))).rejects.toThrow('discarded');
      const sealed = await under.store.begin('sealed');
      await sealed.append(bytesOf(10));
      const { sha256 } = await sealed.seal();
      await sealed.discard();
      await sealed.discard();
      expect(await idsOf(under.store)).toEqual([]);
      expect(await under.store.findSize(sha256)).toBeUndefined();
      expect(await under.store.resume('sealed')).toBeUndefined();
    });

    it('discards by the id too, also what is not there', async () => {
      const partial = await under.store.begin('a');
      await partial.append(bytesOf(10));
      await partial.release();
      expect(await idsOf(under.store)).toEqual(['a']);
      await under.store.discard('a');
      await under.store.discard('nobody');
      expect(await idsOf(under.store)).toEqual([]);
    });

    it('publishes what is discarded afterwards', async () => {
      const partial = await under.store.begin('a');
      await partial.append(bytesOf(10));
      const { sha256 } = await partial.seal();
      await partial.publish();
      await partial.discard();
      expect(await under.store.findSize(sha256)).toBe(10);
    });

    it('continues what was let go of, in pieces of any size', async () => {
      const bytes = bytesOf(12_000_000);
      let at = 0;
      await (await under.store.begin('a')).release();
      for (const size of [0, 1, 99_999, 5_300_000, 6_000_000, 600_000]) {
        const partial = await under.store.resume('a');
        expect(partial?.sizeBytes).toBe(at);
        await partial?.append(bytes.subarray(at, at + size));
        at += size;
        await partial?.release();
      }
      const partial = await under.store.resume('a');
      expect(await partial?.seal()).toEqual({ sha256: sha256Of(bytes), sizeBytes: bytes.length });
      await partial?.publish();
      expect((await readAll(await under.store.open(sha256Of(bytes)))).equals(bytes)).toBe(true);
    });

    it('continues after a kill behind what was persisted, and hashes all of it', async () => {
      const bytes = bytesOf(8_000_000);
      const killed = await under.store.begin('a');
      await killed.append(bytes.subarray(0, 6_000_000));
      const persistedBytes = await killed.persist();
      expect(persistedBytes).toBeGreaterThan(0);
      await killed.append(bytesOf(100_000).fill(1));
      const store = await under.reopen();
      expect(await idsOf(store)).toEqual(['a']);
      const partial = await store.resume('a');
      expect(partial?.sizeBytes).toBe(persistedBytes);
      await partial?.append(bytes.subarray(persistedBytes));
      expect(await partial?.seal()).toEqual({ sha256: sha256Of(bytes), sizeBytes: bytes.length });
      await partial?.publish();
      expect((await readAll(await store.open(sha256Of(bytes)))).equals(bytes)).toBe(true);
      expect(await idsOf(store)).toEqual([]);
    });

    it('promises nothing of what was never persisted', async () => {
      const killed = await under.store.begin('a');
      await killed.append(bytesOf(10));
      const store = await under.reopen();
      const partial = await store.resume('a');
      expect(partial?.sizeBytes).toBe(0);
      await partial?.append(Buffer.from('abc'));
      expect(await partial?.seal()).toEqual({ sha256: sha256Of(Buffer.from('abc')), sizeBytes: 3 });
    });

    it('keeps what was published over a kill', async () => {
      const bytes = bytesOf(1_000);
      const sha256 = await publish(bytes);
      const store = await under.reopen();
      expect((await readAll(await store.open(sha256))).equals(bytes)).toBe(true);
    });

    it('removes a content, and lets those finish who read it', async () => {
      const bytes = bytesOf(300_000);
      const sha256 = await publish(bytes);
      const reader = await under.store.open(sha256);
      await under.store.remove(sha256);
      await under.store.remove(sha256);
      expect(await under.store.findSize(sha256)).toBeUndefined();
      expect((await readAll(reader)).equals(bytes)).toBe(true);
      await expect(under.store.open(sha256)).rejects.toBeInstanceOf(BlobMissing);
      expect(await publish(bytes)).toEqual(sha256);
    });

    it('takes no id that could be a path', async () => {
      for (const id of ['', '.', '..', '../a', 'a/b', 'a.b', 'a\0', 'x'.repeat(65)])
        await expect(under.store.begin(id)).rejects.toBeInstanceOf(RangeError);
    });

    it('knows how much room there is, or that it does not know', async () => {
      const free = await under.store.freeBytes();
      expect(free === undefined || free > 0).toBe(true);
    });
  });
}

let count = 0;

const sha256Of = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** Bytes that differ from place to place, the same each time. */
export function bytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8) * 17 + (at >>> 16)) & 255;
  return bytes;
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function idsOf(store: BlobStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of store.partialIds()) ids.push(id);
  return ids;
}
