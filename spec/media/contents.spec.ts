/** What mxc URIs stand for, on both engines. Over HTTP: spec/http/client/media. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import type { MxcUri } from '../../src/matrix/ids/mxc-uri.ts';
import type { MediaContext } from '../../src/media/context.ts';
import { createContent } from '../../src/media/create-content.ts';
import { LocalBlobStore } from '../../src/media/local-blob-store.ts';
import { mediaMetrics } from '../../src/media/media-metrics.ts';
import { openContent } from '../../src/media/open-content.ts';
import { PendingContents } from '../../src/media/pending-contents.ts';
import { StoredBlobs } from '../../src/media/stored-blobs.ts';
import { UserQuotas } from '../../src/media/user-quotas.ts';
import { uploadContent, uploadContentToMxc } from '../../src/media/upload-content.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { Names } from '../../src/storage/names.ts';
import { mediaAt, type MediaRow } from '../../src/storage/stores/media-store.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { localServersOfTests } from '../support/test-accounts.ts';
import { testEpochMs, type TestPorts, testPorts } from '../support/test-ports.ts';
import { readAll } from './blob-store-contract.ts';
import { noRemote } from './support/no-remote.ts';

const alice = { userId: '@alice:test' as UserId, userNid: 1_000_000_000_001 };
const bob = { userId: '@bob:second.test' as UserId, userNid: 2 };
const facts = { contentType: 'text/plain', fileName: 'Письмо.txt', lengthBytes: undefined };
const hourMs = 3_600_000;
async function* bodyOf(...texts: readonly string[]): AsyncIterable<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

describeOnBothEngines('mxc URIs', (engine) => {
  let folder: string;
  let ports: TestPorts;
  let ctx: MediaContext;
  let store: LocalBlobStore;
  const failures: unknown[] = [];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veche-media-'));
    ports = testPorts();
    const db = await engine.open();
    store = await LocalBlobStore.open(folder, ports);
    ctx = {
      db,
      names: new Names(db),
      localServers: localServersOfTests(['test', 'second.test']),
      clock: ports.clock,
      timers: ports.timers,
      random: ports.random,
      settings: { ...loadConfig(undefined, {}).media, pendingUploadsMax: 2, uploadBytesMax: 1_000, freeBytesMin: 0 },
      blobs: new StoredBlobs({ db, store, clock: ports.clock, random: ports.random, freeBytesMin: 0 }),
      quotas: new UserQuotas({ db, userBytesMax: undefined, userFilesMax: undefined, infoUri: '' }),
      pending: new PendingContents(db, ports.timers),
      remote: noRemote,
      metrics: mediaMetrics(new Metrics({ process: false })),
      scans: undefined,
      onStored: () => undefined,
      onFailed: (error) => void failures.push(error),
    };
  });
  afterEach(async () => {
    ctx.pending.close();
    await ctx.db.drained();
    await store.close();
    rmSync(folder, { recursive: true });
    const [failure] = failures.splice(0);
    if (failure !== undefined) throw new Error('something failed in the background', { cause: failure });
  });

  const rowOf = ({ serverName, mediaId }: MxcUri): Promise<MediaRow | undefined> =>
    ctx.db.one(mediaAt, { origin: serverName, mediaId });
  const open = (uri: MxcUri, timeoutMs = 0) =>
    openContent(ctx, uri, { timeoutMs, signal: () => new AbortController().signal });

  it('are of the server whose user uploads, with what the upload said', async () => {
    const uri = await uploadContent(ctx, bob, facts, bodyOf('a', 'bc'));
    expect(uri.serverName).toBe('second.test');
    expect(await rowOf(uri)).toMatchObject({
      bytes: 3,
      content_type: 'text/plain',
      file_name: 'Письмо.txt',
      user_nid: 2,
      created_ts: testEpochMs,
      expires_ts: null,
      last_access_ts: null,
    });
    const opened = await open(uri);
    expect((await readAll(await opened.open({ start: 1, end: 3 }))).toString()).toBe('bc');
  });

  it('say on which day somebody looked last, and no more', async () => {
    const uri = await uploadContent(ctx, alice, facts, bodyOf('abc'));
    await ports.advance(hourMs);
    await open(uri);
    await ctx.db.drained();
    const dayMs = 24 * hourMs;
    const today = testEpochMs - (testEpochMs % dayMs);
    expect((await rowOf(uri))?.last_access_ts).toBe(today);
    const before = ctx.db.write(() => undefined).serial;
    await open(uri);
    expect(ctx.db.write(() => undefined).serial).toBe(before + 1);
    await ports.advance(dayMs);
    await open(uri);
    await ctx.db.drained();
    expect((await rowOf(uri))?.last_access_ts).toBe(today + dayMs);
  });

  it('are created ahead of their contents, a few at a time', async () => {
    const first = await createContent(ctx, alice);
    expect(first.unusedExpiresTs).toBe(testEpochMs + 24 * hourMs);
    await ports.advance(hourMs);
    const second = await createContent(ctx, alice);
    await expect(createContent(ctx, alice)).rejects.toMatchObject({
      errcode: 'M_LIMIT_EXCEEDED',
      extra: { retry_after_ms: 23 * hourMs },
    });
    await createContent(ctx, bob);
    await uploadContentToMxc(ctx, alice, first.uri, facts, bodyOf('x'));
    await createContent(ctx, alice);
    await ports.advance(24 * hourMs);
    await expect(open(second.uri)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    expect(await rowOf(second.uri)).toBeDefined();
    await ports.advance(8 * 24 * hourMs);
    const later = await createContent(ctx, alice);
    expect(await rowOf(second.uri)).toBeUndefined();
    expect(await rowOf(later.uri)).toMatchObject({ sha256: null, bytes: null });
    expect((await open(first.uri)).sizeBytes).toBe(1);
  });

  it('are waited for as long as wanted, and what comes is had at once', async () => {
    const { uri } = await createContent(ctx, alice);
    const timers = ports.timerCount;
    const waiting = open(uri, 10_000);
    const impatient = open(uri, 1).catch((error: unknown) => error);
    await ports.until(() => ports.timerCount === timers + 2);
    await ports.advance(1);
    expect(await impatient).toMatchObject({ status: 504, errcode: 'M_NOT_YET_UPLOADED' });
    await uploadContentToMxc(ctx, alice, uri, facts, bodyOf('here'));
    expect((await waiting).sizeBytes).toBe(4);
    expect(ports.timerCount).toBe(timers);
  });

  it('never get a content that is longer than allowed, or that was given up', async () => {
    await expect(uploadContent(ctx, alice, facts, bodyOf('x'.repeat(600), 'x'.repeat(401)))).rejects.toMatchObject({
      status: 413,
      errcode: 'M_TOO_LARGE',
    });
    async function* broken(): AsyncIterable<Buffer> {
      yield Buffer.from('x');
      throw new Error('gone');
    }
    await expect(uploadContent(ctx, alice, facts, broken())).rejects.toThrow('gone');
    for await (const id of store.partialIds()) expect(id).toBe('nothing');
    expect((await open(await uploadContent(ctx, alice, facts, bodyOf('x'.repeat(1_000))))).sizeBytes).toBe(1_000);
  });
});
