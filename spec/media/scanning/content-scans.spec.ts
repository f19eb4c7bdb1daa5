/** Verdicts on contents, on both engines, with a scanner that the spec owns. Over HTTP: spec/http/client/media/scanning.spec.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import type { MxcUri } from '../../../src/matrix/ids/mxc-uri.ts';
import { addOwnContent } from '../../../src/media/add-own-content.ts';
import type { MediaContext } from '../../../src/media/context.ts';
import { LocalBlobStore } from '../../../src/media/local-blob-store.ts';
import { mediaMetrics } from '../../../src/media/media-metrics.ts';
import { findUploaded, openContent, wholeContent } from '../../../src/media/open-content.ts';
import { PendingContents } from '../../../src/media/pending-contents.ts';
import { hideContents, quarantineFile, unquarantineFile } from '../../../src/media/quarantine.ts';
import { removeContent } from '../../../src/media/remove-content.ts';
import { ContentScans, type ContentScansOptions, type Finding } from '../../../src/media/scanning/content-scans.ts';
import { type Scanner, ScannerFailed } from '../../../src/media/scanning/scanner.ts';
import { StoredBlobs } from '../../../src/media/stored-blobs.ts';
import { UserQuotas } from '../../../src/media/user-quotas.ts';
import { uploadContent } from '../../../src/media/upload-content.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { Metrics } from '../../../src/platform/metrics.ts';
import { Names } from '../../../src/storage/names.ts';
import { mediaAt } from '../../../src/storage/stores/media-store.ts';
import { protectMedia as protectMediaOf } from '../../../src/storage/stores/media-administration-store.ts';
import { verdictOn, type VerdictRow } from '../../../src/storage/stores/scan-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { localServersOfTests } from '../../support/test-accounts.ts';
import { testEpochMs, type TestPorts, testPorts } from '../../support/test-ports.ts';
import { SpecScanner } from '../support/spec-scanner.ts';
import { noRemote } from '../support/no-remote.ts';

const dayMs = 86_400_000;
const admin = '@admin:test' as UserId;
const alice = { userId: '@alice:test' as UserId, userNid: 1 };
const facts = { contentType: 'text/plain', fileName: undefined, lengthBytes: undefined };
async function* bodyOf(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text);
}
const now = { timeoutMs: 0, signal: () => new AbortController().signal };

describeOnBothEngines('verdicts', (engine) => {
  let folder: string;
  let ports: TestPorts;
  let ctx: MediaContext;
  let store: LocalBlobStore;
  let scanner: SpecScanner;
  let found: Finding[];
  let failures: unknown[];
  const opened: ContentScans[] = [];

  const scansWith = (settings: Partial<ContentScansOptions['settings']> = {}): ContentScans => {
    const defaults = loadConfig(undefined, {}).media.scanner;
    const scans = new ContentScans({
      ...ctx,
      scanner,
      settings: { ...defaults, ...settings },
      onFound: (finding) => void found.push(finding),
      onFailed: (error) => void failures.push(error),
    });
    opened.push(scans);
    ctx = { ...ctx, scans };
    return scans;
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veche-scans-'));
    ports = testPorts();
    scanner = new SpecScanner();
    [found, failures] = [[], []];
    const db = await engine.open();
    store = await LocalBlobStore.open(folder, ports);
    ctx = {
      db,
      names: new Names(db),
      localServers: localServersOfTests(),
      clock: ports.clock,
      timers: ports.timers,
      random: ports.random,
      settings: { ...loadConfig(undefined, {}).media, freeBytesMin: 0 },
      blobs: new StoredBlobs({ db, store, clock: ports.clock, random: ports.random, freeBytesMin: 0 }),
      quotas: new UserQuotas({ db, userBytesMax: undefined, userFilesMax: undefined, infoUri: '' }),
      pending: new PendingContents(db, ports.timers),
      remote: noRemote,
      metrics: mediaMetrics(new Metrics({ process: false })),
      scans: undefined,
      onStored: () => undefined,
      onFailed: (error) => {
        throw error;
      },
    };
    scansWith();
  });
  afterEach(async () => {
    for (const scans of opened.splice(0)) await scans.close();
    ctx.pending.close();
    await ctx.db.drained();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const upload = (text: string): Promise<MxcUri> => uploadContent(ctx, alice, facts, bodyOf(text));
  const statusOf = (uri: MxcUri): Promise<unknown> =>
    openContent(ctx, uri, now).then(
      () => 200,
      ({ status, errcode }: { status: number; errcode: string }) => [status, errcode],
    );
  const quarantinedBy = async ({ serverName, mediaId }: MxcUri): Promise<string | null | undefined> =>
    (await ctx.db.one(mediaAt, { origin: serverName, mediaId }))?.quarantined_by;
  const hashOf = async ({ serverName, mediaId }: MxcUri): Promise<Buffer> =>
    (await ctx.db.one(mediaAt, { origin: serverName, mediaId }))?.sha256 ?? Buffer.alloc(0);
  const verdictOf = async (uri: MxcUri): Promise<VerdictRow | undefined> =>
    ctx.db.one(verdictOn, { subject: await hashOf(uri) });
  const notThere = [404, 'M_NOT_FOUND'];

  it('are given before a file is served for the first time, and kept', async () => {
    const uri = await upload('good');
    expect(await statusOf(uri)).toBe(200);
    expect(await statusOf(uri)).toBe(200);
    // The same bytes under another name, after a restart.
    scansWith();
    expect(await statusOf(await upload('good'))).toBe(200);
    expect(scanner.scanned).toEqual(['good']);
    expect(await verdictOf(uri)).toEqual({
      finding: null,
      version: scanner.current,
      scanned_ts: testEpochMs,
      accepted_by: null,
    });
  });

  it('put malware into quarantine, wherever it is and comes to be, and say so once', async () => {
    const [first, second] = [await upload('bad'), await upload('bad')];
    expect(await statusOf(first)).toEqual(notThere);
    expect(await statusOf(second)).toEqual(notThere);
    const third = await upload('bad');
    expect(await statusOf(third)).toEqual(notThere);
    for (const uri of [first, second, third]) expect(await quarantinedBy(uri)).toBe('spec: Spec.Bad');
    expect(found).toEqual([{ content: await hashOf(first), finding: 'Spec.Bad', scanner: 'spec' }]);
    expect(scanner.scanned).toEqual(['bad']);
  });

  it('are given on what the server itself stores, such as images of previews', async () => {
    const image = { bytes: Buffer.from('bad image'), contentType: 'image/png', fileName: undefined };
    const uri = await addOwnContent(ctx, 'test' as ServerName, image);
    expect(await statusOf(uri)).toEqual(notThere);
  });

  it('can be overruled by administrators, in both directions', async () => {
    const uri = await upload('bad');
    expect(await statusOf(uri)).toEqual(notThere);
    await unquarantineFile(ctx, uri, admin);
    expect(await statusOf(uri)).toBe(200);
    expect((await verdictOf(uri))?.accepted_by).toBe(admin);
    expect(await statusOf(await upload('bad'))).toBe(200);
    // And not scanned again, whatever the scanner knows by then.
    await ports.advance(30 * dayMs);
    scanner.current = 'Spec 1/101/later';
    expect(await statusOf(uri)).toBe(200);
    await quarantineFile(ctx, uri, admin);
    expect(await statusOf(uri)).toEqual(notThere);
    expect(scanner.scanned).toEqual(['bad']);
  });

  it('on protected files keep them from being served, too', async () => {
    const uri = await upload('bad');
    await ctx.db.write((unit) =>
      unit.run(protectMediaOf, { origin: uri.serverName, mediaId: uri.mediaId, protected: 1 }),
    ).committed;
    expect(await statusOf(uri)).toEqual(notThere);
    expect(await quarantinedBy(uri)).toBeNull();
    scansWith();
    expect(await statusOf(uri)).toEqual(notThere);
  });

  it('are waited for by all who ask meanwhile', async () => {
    const uri = await upload('good');
    const { promise, resolve } = Promise.withResolvers<void>();
    scanner.gate = promise;
    const readers = Promise.all(Array.from({ length: 20 }, () => statusOf(uri)));
    await ports.until(() => scanner.scanned.length === 1);
    resolve();
    expect(new Set(await readers)).toEqual(new Set([200]));
    expect(scanner.scanned).toEqual(['good']);
  });

  it('of few files are asked for at once', async () => {
    const uris = await Promise.all(Array.from({ length: 12 }, (_, index) => upload(`good ${index}`)));
    const { promise, resolve } = Promise.withResolvers<void>();
    scanner.gate = promise;
    const readers = Promise.all(uris.map((uri) => statusOf(uri)));
    await ports.until(() => scanner.scanned.length === 4);
    await ports.settle();
    expect(scanner.scanned).toHaveLength(4);
    resolve();
    expect(new Set(await readers)).toEqual(new Set([200]));
    expect(scanner.scanned).toHaveLength(12);
  });

  it('are given again after some days, once the scanner has other signatures', async () => {
    const uri = await upload('good');
    await statusOf(uri);
    scanner.current = 'Spec 1/101/later';
    await ports.advance(6 * dayMs);
    await statusOf(uri);
    expect(scanner.scanned).toHaveLength(1);
    await ports.advance(dayMs);
    expect(await statusOf(uri)).toBe(200);
    expect(await statusOf(uri)).toBe(200);
    expect(scanner.scanned).toHaveLength(2);
    expect((await verdictOf(uri))?.version).toBe('Spec 1/101/later');
    // The same signatures: nothing new can come of it.
    await ports.advance(8 * dayMs);
    await statusOf(uri);
    expect(scanner.scanned).toHaveLength(2);
    scansWith({ rescanDays: undefined });
    scanner.current = 'Spec 1/102/later';
    await ports.advance(1_000 * dayMs);
    await statusOf(uri);
    expect(scanner.scanned).toHaveLength(2);
  });

  it('count for longer when the scanner does not answer any more', async () => {
    const uri = await upload('good');
    await statusOf(uri);
    await ports.advance(8 * dayMs);
    scanner.failure = new ScannerFailed('gone');
    expect(await statusOf(uri)).toBe(200);
    expect(await statusOf(await upload('also good'))).toEqual([503, 'M_UNKNOWN']);
  });

  it('may be missing: then nothing is served, unless that is wanted; and the scanner is left alone for a while', async () => {
    const uri = await upload('good');
    scanner.failure = new ScannerFailed('gone');
    expect(await statusOf(uri)).toEqual([503, 'M_UNKNOWN']);
    const { asked } = scanner;
    expect(await statusOf(uri)).toEqual([503, 'M_UNKNOWN']);
    expect(scanner.asked).toBe(asked);
    await ports.advance(5_000);
    expect(await statusOf(uri)).toEqual([503, 'M_UNKNOWN']);
    expect(scanner.asked).toBe(asked + 1);
    // It is said when it begins, and not each time.
    expect(failures).toEqual([scanner.failure]);
    scansWith({ unanswered: 'serve' });
    expect(await statusOf(uri)).toBe(200);
    expect(await verdictOf(uri)).toBeUndefined();
    scanner.failure = undefined;
    await ports.advance(5_000);
    expect(await statusOf(uri)).toBe(200);
    expect(await verdictOf(uri)).toBeDefined();
  });

  it('leave nothing open when the scanner cannot be reached', async () => {
    const uri = await upload('good');
    let opens = 0;
    const unread: Scanner = {
      name: 'spec',
      version: () => Promise.resolve('Spec 1/100/today'),
      scan: () => Promise.reject(new ScannerFailed('gone')),
    };
    const scans = new ContentScans({
      ...ctx,
      scanner: unread,
      settings: loadConfig(undefined, {}).media.scanner,
      onFound: () => undefined,
      onFailed: () => undefined,
    });
    const content = await hashOf(uri);
    const failing = scans.findMalware({
      subject: content,
      content,
      sizeBytes: 4,
      async open() {
        opens += 1;
        return bodyOf('good');
      },
    });
    await expect(failing).rejects.toMatchObject({ status: 503 });
    expect(opens).toBe(0);
  });

  it('that take too long are given up, and other files have theirs', async () => {
    const slow = await upload('slow');
    scanner.gate = new Promise(() => undefined);
    const reading = statusOf(slow);
    await ports.until(() => scanner.scanned.length === 1);
    await ports.advance(59_000);
    await ports.advance(1_000);
    expect(await reading).toEqual([503, 'M_UNKNOWN']);
    scanner.gate = Promise.resolve();
    expect(await statusOf(await upload('good'))).toBe(200);
    // This one is not tried again soon.
    expect(await statusOf(slow)).toEqual([503, 'M_UNKNOWN']);
    expect(scanner.scanned).toEqual(['slow', 'good']);
    await ports.advance(600_000);
    expect(await statusOf(slow)).toBe(200);
    expect(failures).toHaveLength(1);
  });

  it('are not asked for on larger files, which are refused or served', async () => {
    scansWith({ streamBytesMax: 3 });
    const uri = await upload('good');
    expect(await statusOf(uri)).toEqual([502, 'M_TOO_LARGE']);
    expect(await statusOf(await upload('abc'))).toBe(200);
    scansWith({ streamBytesMax: 3, largerFiles: 'serve' });
    expect(await statusOf(uri)).toBe(200);
    expect(scanner.scanned).toEqual(['abc']);
  });

  it('come before anybody asks, where they can', async () => {
    const scans = scansWith();
    const [good, bad] = [await upload('good'), await upload('bad')];
    const ahead = async (uri: MxcUri): Promise<boolean> => {
      const { sha256, bytes: sizeBytes } = await findUploaded(ctx, uri, now);
      return scans.scanAhead(wholeContent(ctx, { sha256, sizeBytes }));
    };
    expect(await ahead(good)).toBe(true);
    expect(await ahead(bad)).toBe(false);
    expect(await quarantinedBy(bad)).toBe('spec: Spec.Bad');
    expect(await statusOf(good)).toBe(200);
    expect(scanner.scanned).toEqual(['good', 'bad']);
    scanner.failure = new ScannerFailed('gone');
    expect(await ahead(await upload('later'))).toBe(false);
    scanner.failure = undefined;
  });

  it('go with the content, and a verdict on one that went meanwhile is not kept', async () => {
    const uri = await upload('good');
    await statusOf(uri);
    const subject = await hashOf(uri);
    await removeContent(ctx, uri);
    expect(await ctx.db.one(verdictOn, { subject })).toBeUndefined();
    const second = await upload('other');
    const other = await hashOf(second);
    const { promise, resolve } = Promise.withResolvers<void>();
    scanner.gate = promise;
    const reading = statusOf(second);
    await ports.until(() => scanner.scanned.includes('other'));
    await removeContent(ctx, second);
    resolve();
    await reading;
    expect(await ctx.db.one(verdictOn, { subject: other })).toBeUndefined();
  });

  it('with made-up keys are few, and what was found stays', async () => {
    const uri = await upload('cipher');
    const content = await hashOf(uri);
    const scans = scansWith();
    const scan = (key: number, text: string): Promise<string | undefined> =>
      scans.findMalware({ subject: Buffer.alloc(32, key), content, sizeBytes: 6, open: async () => bodyOf(text) });
    await statusOf(uri);
    expect(await scan(100, 'bad')).toBe('Spec.Bad');
    for (let key = 1; key <= 12; key++) {
      await ports.advance(1);
      expect(await scan(key, `noise ${key}`)).toBeUndefined();
    }
    const kept: number[] = [];
    for (let key = 1; key <= 100; key++)
      if ((await ctx.db.one(verdictOn, { subject: Buffer.alloc(32, key) })) !== undefined) kept.push(key);
    expect(kept).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 100]);
    expect(await verdictOf(uri)).toBeDefined();
  });

  it('are not waited for when the server ends', async () => {
    const scans = scansWith();
    const uri = await upload('good');
    scanner.gate = new Promise(() => undefined);
    const reading = statusOf(uri);
    await ports.until(() => scanner.scanned.length === 1);
    await scans.close();
    expect(await reading).toEqual([503, 'M_UNKNOWN']);
    expect(failures).toEqual([]);
  });

  it('of administrators hide what is uploaded later, too, until they end that', async () => {
    const uri = await upload('spam');
    await quarantineFile(ctx, uri, admin);
    await removeContent(ctx, uri);
    const again = await upload('spam');
    expect(await quarantinedBy(again)).toBe(admin);
    expect(await statusOf(again)).toEqual(notThere);
    expect(await hideContents(ctx, [await hashOf(again)], '@other:test')).toBe(0);
    expect(await quarantinedBy(again)).toBe(admin);
    await unquarantineFile(ctx, again, admin);
    expect(await statusOf(again)).toBe(200);
    expect(await statusOf(await upload('spam'))).toBe(200);
  });
});
