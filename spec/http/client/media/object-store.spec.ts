/** A whole server whose files are in an object store: `@20minutes/s3rver`, which calls itself a fake (spec/support/s3-server.ts). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { bytesOf } from '../../../media/blob-store-contract.ts';
import { picture } from '../../../media/support/pictures.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { downloadPath, MediaClient, mediaListeners } from '../../../support/media-requests.ts';
import { refuse, type S3Server, secretAccessKeyOfTests, startS3Server } from '../../../support/s3-server.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one.close();
});

async function start(): Promise<{ s3: S3Server; server: LoopbackServer; alice: MediaClient }> {
  const s3 = await startS3Server();
  running.push(s3);
  const { endpoint, bucket, accessKeyId } = s3.settings;
  const key = `access_key_id: ${accessKeyId}, secret_access_key: ${secretAccessKeyOfTests}`;
  const media = `{ storage: s3, s3: { endpoint: "${endpoint}", bucket: ${bucket}, prefix: files/, ${key} } }`;
  const server = await startLoopbackServer({ config: { ...mediaListeners, media } });
  running.push(server);
  return { s3, server, alice: await MediaClient.register(server, 'alice') };
}
const received = ({ dataFolder }: LoopbackServer): string[] => readdirSync(join(dataFolder, 'media/partial'));

describe('files in an object store', () => {
  it('come and go as from a disk, in ranges too', async () => {
    const { s3, server, alice } = await start();
    const bytes = bytesOf(20_000_000);
    const uri = await alice.upload(bytes, 'application/pdf', 'report.pdf');
    expect(s3.keys()).toEqual([expect.stringMatching(/^files\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{64}$/)]);
    expect(received(server)).toEqual([]);
    const whole = await alice.download(uri);
    expect(whole.bytes.equals(bytes)).toBe(true);
    expect(whole.headers.get('content-length')).toBe('20000000');
    expect(whole.headers.get('content-disposition')).toContain('report.pdf');
    const part = await alice.download(uri, { range: 'bytes=8388600-8388699' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 8388600-8388699/20000000']);
    expect(part.bytes.equals(bytes.subarray(8_388_600, 8_388_700))).toBe(true);
    expect((await alice.download(uri, {}, 'HEAD')).headers.get('content-length')).toBe('20000000');
    expect((await alice.download(uri, { 'if-none-match': whole.headers.get('etag') ?? '' })).status).toBe(304);
  });

  it('are read by many at once, and by others while some do not read on', async () => {
    const { server, alice } = await start();
    const bytes = bytesOf(3_000_000);
    const uri = await alice.upload(bytes);
    const cuts = new AbortController();
    const slow = await Promise.all(
      Array.from({ length: 30 }, () =>
        fetch(server.url + downloadPath(uri), {
          headers: { authorization: `Bearer ${alice.token}` },
          signal: cuts.signal,
        }),
      ),
    );
    expect(slow.every(({ status }) => status === 200)).toBe(true);
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, index) => alice.download(uri, { range: `bytes=${index * 50_000}-` })),
    );
    for (const [index, reply] of replies.entries()) {
      expect(reply.status).toBe(206);
      expect(reply.bytes.equals(bytes.subarray(index * 50_000))).toBe(true);
    }
    expect((await alice.download(await alice.upload(bytesOf(10)))).bytes).toHaveLength(10);
    for (const response of slow.slice(0, 15))
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    cuts.abort();
    expect((await alice.download(uri)).bytes.equals(bytes)).toBe(true);
  }, 120_000);

  it('have thumbnails, which are there as well', async () => {
    const { s3, alice } = await start();
    const photo = await picture({ width: 1_000, height: 750 }).jpeg().toBuffer();
    const uri = await alice.upload(photo, 'image/jpeg', 'photo.jpg');
    const path = `/_matrix/client/v1/media/thumbnail/${uri.slice('mxc://'.length)}?width=320&height=240&method=scale`;
    const reply = await alice.request('GET', path);
    expect(await sharp(reply.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 320, height: 240 });
    expect(s3.keys()).toHaveLength(2);
    expect((await alice.request('GET', path)).bytes.equals(reply.bytes)).toBe(true);
  });

  it('are refused while it refuses them, and nothing of them stays', async () => {
    const { s3, server, alice } = await start();
    const uri = await alice.upload(bytesOf(1_000));
    s3.intercept = (_request, response) => refuse(response, 403, 'AccessDenied');
    const upload = await alice.request('POST', '/_matrix/media/v3/upload', { body: bytesOf(1_001) });
    expect([upload.status, upload.errcode]).toEqual([500, 'M_UNKNOWN']);
    const download = await alice.download(uri);
    expect([download.status, download.errcode]).toEqual([500, 'M_UNKNOWN']);
    expect(received(server)).toEqual([]);
    s3.intercept = ({ method }, response) => method === 'PUT' && refuse(response, 507, 'XMinioStorageFull');
    expect((await alice.request('POST', '/_matrix/media/v3/upload', { body: bytesOf(1_002) })).status).toBe(507);
    s3.intercept = undefined;
    expect((await alice.download(uri)).bytes.equals(bytesOf(1_000))).toBe(true);
    await alice.upload(bytesOf(1_001));
    expect(s3.keys()).toHaveLength(2);
  });

  it('that could not be put there are finished later when they are resumable, without their bytes again', async () => {
    const { s3, server, alice } = await start();
    const bytes = bytesOf(20_000_000);
    const created = await alice.request('POST', '/_matrix/media/unstable/org.veche.resumable/tus', {
      headers: { 'tus-resumable': '1.0.0', 'upload-length': String(bytes.length) },
    });
    expect(created.status).toBe(201);
    const path = new URL(created.headers.get('location') ?? '', server.url).pathname;
    const uri = created.headers.get('matrix-content-uri') ?? '';
    const tus = { 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream' };
    s3.intercept = ({ url = '' }, response) => url.includes('partNumber=3') && refuse(response, 403, 'AccessDenied');
    const refused = await alice.request('PATCH', path, { body: bytes, headers: { ...tus, 'upload-offset': '0' } });
    expect(refused.status).toBe(500);
    expect([s3.keys(), s3.uploadsLeft()]).toEqual([[], []]);
    s3.intercept = undefined;
    const head = await alice.request('HEAD', path, { headers: { 'tus-resumable': '1.0.0' } });
    expect([head.status, head.headers.get('upload-offset')]).toEqual([200, String(bytes.length)]);
    // Asking where it is has finished it.
    expect(s3.keys()).toHaveLength(1);
    expect((await alice.download(uri)).bytes.equals(bytes)).toBe(true);
    expect(received(server)).toEqual([]);
  });
});
