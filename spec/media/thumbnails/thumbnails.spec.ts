import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import { type MxcUri, parseMxcUri } from '../../../src/matrix/ids/mxc-uri.ts';
import { BlobMissing } from '../../../src/media/blob-store.ts';
import { type Media, openMedia } from '../../../src/media/index.ts';
import type { ThumbnailWish } from '../../../src/media/thumbnails/thumbnails.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { limits } from '../../../src/platform/limits.ts';
import type { OutgoingHttp } from '../../../src/platform/ports.ts';
import { Metrics } from '../../../src/platform/metrics.ts';
import { Names } from '../../../src/storage/names.ts';
import { blobAt, unsettledBlobs } from '../../../src/storage/stores/blob-store.ts';
import { thumbnailsOf } from '../../../src/storage/stores/thumbnail-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { noRemoteContents } from '../support/no-remote.ts';
import { localServersOfTests } from '../../support/test-accounts.ts';
import { testPorts } from '../../support/test-ports.ts';
import { picture, pieces } from '../support/pictures.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const pictureAt = (url: string): Promise<Buffer> =>
  picture({ width: 200 + url.length })
    .png()
    .toBuffer();
/** Every URL is a picture. */
const site: OutgoingHttp = {
  request: async ({ url, bodyBytesWanted }) => {
    const head = { status: 200, headers: { 'content-type': 'image/png' } };
    return { ...head, body: bodyBytesWanted?.(head) === 0 ? Buffer.alloc(0) : await pictureAt(url) };
  },
};

describeOnBothEngines('thumbnails', (engine) => {
  async function start(thumbnails: Partial<ReturnType<typeof loadConfig>['media']['thumbnails']> = {}) {
    const ports = testPorts();
    const db = await engine.open();
    const folder = mkdtempSync(join(tmpdir(), 'veche-thumbnails-'));
    const defaults = loadConfig(undefined, { VECHE_SERVER_NAME: 'test', VECHE_DATA_DIR: folder });
    const media = { ...defaults.media, thumbnails: { ...defaults.media.thumbnails, ...thumbnails } };
    const names = new Names(db, 1_000);
    const failed: unknown[] = [];
    let processes = 0;
    const opened: Media = await openMedia({
      ...ports,
      http: site,
      contents: noRemoteContents,
      processes: {
        start(module, data, options) {
          processes += 1;
          return ports.processes.start(module, data, options);
        },
      },
      db,
      names,
      config: { ...defaults, media },
      localServers: localServersOfTests(),
      version: '1',
      metrics: new Metrics({ process: false }),
      onFailed: (error) => failed.push(error),
      onFound: () => undefined,
    });
    closing.push(
      () => rmSync(folder, { recursive: true }),
      () => opened.close(),
    );
    const userId = '@alice:test' as UserId;
    const user = { userId, userNid: 1 };
    const upload = (bytes: Buffer): Promise<MxcUri> =>
      opened.upload(user, { contentType: 'image/png', fileName: undefined, lengthBytes: bytes.length }, pieces(bytes));
    const open = (uri: MxcUri, wish: Partial<ThumbnailWish> = {}) =>
      opened.openThumbnail(
        uri,
        { width: 32, height: 32, method: 'crop', isAnimated: false, ...wish },
        { timeoutMs: 0, signal: () => AbortSignal.abort() },
      );
    const rowsOf = async (uri: MxcUri) => {
      const { sha256 } = await opened.open(uri, { timeoutMs: 0, signal: () => AbortSignal.abort() });
      return db.all(thumbnailsOf, { source: sha256 });
    };
    return { media: opened, ports, db, upload, open, rowsOf, failed, startedProcesses: () => processes };
  }

  it('belong to what is in a file, however many files have it', async () => {
    const { upload, open, rowsOf } = await start();
    const png = await picture().png().toBuffer();
    const [first, second] = [await upload(png), await upload(png)];
    const made = await open(first);
    expect((await open(second)).sha256.equals(made.sha256)).toBe(true);
    expect(await rowsOf(second)).toHaveLength(1);
  });

  it('are made as soon as an image is uploaded, where that is wanted, and of images only', async () => {
    const { upload, rowsOf, open, failed, ports } = await start({ atUpload: true });
    const uri = await upload(await picture({ width: 1_000, height: 1_000 }).png().toBuffer());
    const others = [await upload(Buffer.from('no image')), await upload(Buffer.alloc(0))];
    let count = 0;
    while (count < 5) {
      await ports.settle();
      count = (await rowsOf(uri)).length;
    }
    expect((await rowsOf(uri)).map(({ width, height }) => `${width}x${height}`).toSorted()).toEqual(
      ['256x256', '32x32', '512x512', '640x640', '96x96'].toSorted(),
    );
    await open(uri, { width: 640, height: 480, method: 'scale' });
    expect(await rowsOf(uri)).toHaveLength(5);
    for (const other of others) expect(await rowsOf(other)).toEqual([]);
    expect(failed).toEqual([]);
  });

  it('are so many at most, and then the nearest there is', async () => {
    const { upload, open, rowsOf } = await start();
    const uri = await upload(await picture({ width: 1_000, height: 1_000 }).jpeg().toBuffer());
    const sizes = new Set<number>();
    for (let width = 20; width <= 600; width += 20)
      for (const height of [width / 4, width / 3, width / 2, width])
        sizes.add((await open(uri, { width, height: Math.round(height) })).sizeBytes);
    expect((await rowsOf(uri)).length).toBeLessThanOrEqual(limits.thumbnailsPerImageMax);
    expect(sizes.size).toBeLessThanOrEqual(limits.thumbnailsPerImageMax);
    expect((await rowsOf(uri)).length).toBeGreaterThan(20);
  });

  it('are not tried again soon of an image that cannot be read', async () => {
    const { upload, open, ports, startedProcesses } = await start();
    const broken = Buffer.concat([(await picture().png().toBuffer()).subarray(0, 33), Buffer.alloc(1_000, 7)]);
    const uri = await upload(broken);
    const refused = { status: 400, errcode: 'M_UNKNOWN' };
    await expect(open(uri)).rejects.toMatchObject(refused);
    expect(startedProcesses()).toBe(1);
    await ports.advance(limits.thumbnailProcessIdleMs);
    await expect(open(uri)).rejects.toMatchObject(refused);
    expect(startedProcesses()).toBe(1);
    await ports.advance(limits.thumbnailFailureMs);
    await expect(open(uri)).rejects.toMatchObject(refused);
    expect(startedProcesses()).toBe(2);
  });

  it('need no process for what is plainly no image, or too large', async () => {
    const { upload, open, startedProcesses } = await start({ pixelsMax: 1_000_000 });
    await expect(open(await upload(Buffer.from('%PDF-1.7')))).rejects.toMatchObject({ status: 400 });
    const large = await upload(await picture({ width: 2_000, height: 1_000 }).png().toBuffer());
    await expect(open(large)).rejects.toMatchObject({ status: 413, errcode: 'M_TOO_LARGE' });
    expect(startedProcesses()).toBe(0);
  });

  it('go with the image of a preview when this is forgotten, unless a file has the same content', async () => {
    const { db, media, ports, upload, open, rowsOf, failed } = await start();
    const preview = async (url: string): Promise<MxcUri> => {
      const request = { url, ts: undefined, language: undefined, userId: '@alice:test' as UserId };
      const { 'og:image': image } = JSON.parse(await media.previewUrl(request)) as { 'og:image': string };
      return parseMxcUri(image) ?? { serverName: 'test' as ServerName, mediaId: 'none' };
    };
    const nowhere = { timeoutMs: 0, signal: () => AbortSignal.abort() };
    const isGone = (uri: MxcUri): Promise<boolean> =>
      media.open(uri, nowhere).then(
        () => false,
        (error: { readonly status?: number }) => error.status === 404,
      );
    const forgotten = async (uri: MxcUri): Promise<void> => {
      await ports.advance(7 * 86_400_000 + limits.previewSweepMs);
      while (!(await isGone(uri))) await ports.settle();
    };
    const [url, otherUrl] = ['http://site.example/1.png', 'http://site.example/other.png'];
    const first = await preview(url);
    const { sha256 } = await open(first, { width: 64, height: 64, method: 'scale' });
    expect(await rowsOf(first)).toHaveLength(1);
    const file = await upload(await pictureAt(url));
    await forgotten(first);
    expect((await open(file, { width: 64, height: 64, method: 'scale' })).sha256.equals(sha256)).toBe(true);
    expect(await rowsOf(file)).toHaveLength(1);

    const second = await preview(otherUrl);
    const made = await open(second, { width: 64, height: 64, method: 'scale' });
    await forgotten(second);
    while ((await db.one(blobAt, { sha256: made.sha256 })) !== undefined) await ports.settle();
    await expect(made.open()).rejects.toThrow(BlobMissing);
    expect(failed).toEqual([]);
  });

  it('leave nothing half-done behind', async () => {
    const { db, upload, open } = await start();
    const uri = await upload(await picture().png().toBuffer());
    await Promise.all([32, 64, 100].map((width) => open(uri, { width, height: width })));
    expect(await db.all(unsettledBlobs, {})).toEqual([]);
  });
});
