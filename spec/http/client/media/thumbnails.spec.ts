import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { imageHeaderBytesMax } from '../../../../src/media/image-header.ts';
import { limits } from '../../../../src/platform/limits.ts';
import { lyingPng, movingGif, picture } from '../../../media/support/pictures.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { type BytesReply, MediaClient, mediaListeners, requestBytes } from '../../../support/media-requests.ts';

const running: LoopbackServer[] = [];
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

async function start(media = '{}') {
  const server = await startLoopbackServer({ config: { ...mediaListeners, media } });
  running.push(server);
  const alice = await MediaClient.register(server, 'alice');
  const thumbnail = (uri: string, query: string, headers: Record<string, string> = {}): Promise<BytesReply> =>
    alice.request('GET', `/_matrix/client/v1/media/thumbnail/${uri.slice(6)}?${query}`, { headers });
  return { server, alice, thumbnail };
}
const factsOf = ({ bytes }: BytesReply): Promise<object> => sharp(bytes).metadata();
const refusal = ({ status, errcode }: BytesReply): unknown => [status, errcode];

describe('thumbnails over HTTP', () => {
  it('are made of images, like files that are downloaded', async () => {
    const { alice, thumbnail } = await start();
    const photo = await picture({ width: 1_000, height: 750 }).jpeg().toBuffer();
    const uri = await alice.upload(photo, 'image/jpeg', 'photo.jpg');
    const reply = await thumbnail(uri, 'width=320&height=240&method=scale');
    expect(reply.status).toBe(200);
    expect(await factsOf(reply)).toMatchObject({ format: 'jpeg', width: 320, height: 240 });
    const download = await alice.download(uri);
    for (const name of [
      'access-control-allow-origin',
      'content-security-policy',
      'cross-origin-resource-policy',
      'cache-control',
      'accept-ranges',
    ])
      expect(reply.headers.get(name), name).toBe(download.headers.get(name));
    expect(reply.headers.get('content-type')).toBe('image/jpeg');
    expect(reply.headers.get('content-disposition')).toBe('inline; filename=thumbnail.jpg');
    const again = await thumbnail(uri, 'width=300&height=220', { 'If-None-Match': reply.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
    const part = await thumbnail(uri, 'width=320&height=240', { Range: 'bytes=0-9' });
    expect([part.status, part.bytes]).toEqual([206, reply.bytes.subarray(0, 10)]);
    expect(await factsOf(await thumbnail(uri, 'width=96&height=96&method=crop'))).toMatchObject({
      width: 96,
      height: 96,
    });
  });

  it('are the image itself where that is no larger', async () => {
    const { alice, thumbnail } = await start();
    const png = await picture({ width: 80, height: 60 }).png().toBuffer();
    const uri = await alice.upload(png, 'image/png', 'small.png');
    const reply = await thumbnail(uri, 'width=80&height=60&method=crop');
    expect(reply.bytes.equals(png)).toBe(true);
    expect(reply.headers.get('content-disposition')).toBe('inline; filename=thumbnail.png');
    // What browsers do not all show, and what is large for what it shows, is made anew in the same size.
    const avif = await alice.upload(await picture({ width: 80, height: 60 }).avif().toBuffer(), 'image/avif');
    expect(await factsOf(await thumbnail(avif, 'width=800&height=600'))).toMatchObject({ format: 'jpeg', width: 80 });
    const heavy = Buffer.concat([png, Buffer.alloc(limits.thumbnailOriginalBytesMax)]);
    const made = await thumbnail(await alice.upload(heavy, 'image/png'), 'width=800&height=600');
    expect(made.bytes.length).toBeLessThan(10_000);
    expect(await factsOf(made)).toMatchObject({ width: 80, height: 60 });
  });

  it('move only for those who say so', async () => {
    const { alice, thumbnail } = await start();
    const uri = await alice.upload(movingGif(4, 200, 100), 'image/gif', 'cat.gif');
    expect(await factsOf(await thumbnail(uri, 'width=100&height=50&animated=true'))).toMatchObject({
      format: 'webp',
      pages: 4,
    });
    for (const query of ['width=100&height=50', 'width=100&height=50&animated=false', 'width=200&height=100'])
      expect(await factsOf(await thumbnail(uri, query)), query).not.toHaveProperty('pages');
    expect(await factsOf(await thumbnail(uri, 'width=200&height=100&animated=true'))).toMatchObject({
      format: 'gif',
      pages: 4,
    });
  });

  it('are refused for what is no image, whatever it is called', async () => {
    const { alice, thumbnail } = await start();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"/>');
    const broken = Buffer.concat([(await picture().png().toBuffer()).subarray(0, 40), Buffer.alloc(5_000)]);
    for (const [bytes, type] of [
      [svg, 'image/svg+xml'],
      [Buffer.from('<script>alert(1)</script>'), 'image/png'],
      [Buffer.from('%PDF-1.7'), 'application/pdf'],
      [Buffer.alloc(0), 'image/png'],
      [broken, 'image/png'],
    ] as const) {
      const uri = await alice.upload(bytes, type);
      expect(refusal(await thumbnail(uri, 'width=32&height=32')), type).toEqual([400, 'M_UNKNOWN']);
      expect(refusal(await thumbnail(uri, 'width=32&height=32&method=crop')), type).toEqual([400, 'M_UNKNOWN']);
    }
  });

  it('are refused for what is too large', async () => {
    const { alice, thumbnail } = await start('{ thumbnails: { pixels_max: 1000000 } }');
    const png = await picture().png().toBuffer();
    const large = [lyingPng(png, 1_001, 1_000), Buffer.concat([png, Buffer.alloc(limits.thumbnailSourceBytesMax)])];
    for (const bytes of large) {
      const uri = await alice.upload(bytes, 'image/png');
      expect(refusal(await thumbnail(uri, 'width=32&height=32'))).toEqual([413, 'M_TOO_LARGE']);
    }
    const late = Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(imageHeaderBytesMax, 0xff)]);
    expect(refusal(await thumbnail(await alice.upload(late, 'image/jpeg'), 'width=32&height=32'))).toEqual([
      400,
      'M_UNKNOWN',
    ]);
  });

  it('are not there for what is not there', async () => {
    const { server, alice, thumbnail } = await start();
    expect(refusal(await thumbnail('mxc://localhost/none', 'width=32&height=32'))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await thumbnail('mxc://localhost/..%2f..%2fetc', 'width=32&height=32'))).toEqual([
      404,
      'M_NOT_FOUND',
    ]);
    const uri = await alice.create();
    expect(refusal(await thumbnail(uri, 'width=32&height=32&timeout_ms=0'))).toEqual([504, 'M_NOT_YET_UPLOADED']);
    for (const query of [
      'width=32',
      'height=32',
      'width=-1&height=32',
      'width=0&height=0',
      'width=a&height=32',
      'width=1.5&height=2',
      'width=32&height=32&method=zoom',
      'width=32&height=32&animated=maybe',
    ])
      expect((await thumbnail(uri, query)).status, query).toBe(400);
    const path = `/_matrix/client/v1/media/thumbnail/${uri.slice(6)}?width=32&height=32`;
    expect(refusal(await requestBytes(server, 'GET', path))).toEqual([401, 'M_MISSING_TOKEN']);
  });

  it('need a token unless the operator says otherwise', async () => {
    const png = await picture().png().toBuffer();
    for (const [media, status] of [
      ['{}', 404],
      ['{ allow_unauthenticated: true }', 200],
    ] as const) {
      const { server, alice } = await start(media);
      const uri = await alice.upload(png, 'image/png');
      for (const version of ['v3', 'r0', 'v1'])
        expect(
          (await requestBytes(server, 'GET', `/_matrix/media/${version}/thumbnail/${uri.slice(6)}?width=32&height=32`))
            .status,
          version,
        ).toBe(status);
    }
  });

  it('are of the given sizes where others are not made', async () => {
    const { alice, thumbnail } = await start(
      '{ thumbnails: { dynamic: false, at_upload: true, sizes: [{ width: 64, height: 64, method: crop }, { width: 100, height: 100, method: scale }] } }',
    );
    const uri = await alice.upload(await picture({ width: 600, height: 300 }).png().toBuffer(), 'image/png');
    expect(await factsOf(await thumbnail(uri, 'width=20&height=30&method=crop'))).toMatchObject({
      width: 64,
      height: 64,
    });
    expect(await factsOf(await thumbnail(uri, 'width=500&height=500'))).toMatchObject({ width: 100, height: 50 });
  });

  it('are made once by many who ask at once', async () => {
    const { alice, thumbnail } = await start();
    const uri = await alice.upload(await picture({ width: 2_000, height: 1_500 }).jpeg().toBuffer(), 'image/jpeg');
    const replies = await Promise.all(Array.from({ length: 30 }, () => thumbnail(uri, 'width=800&height=600')));
    expect(new Set(replies.map(({ status, headers }) => `${status} ${headers.get('etag')}`)).size).toBe(1);
    expect(replies[0]?.status).toBe(200);
  });
});
