import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bytesOf } from '../../../media/blob-store-contract.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { MediaClient, mediaListeners, requestBytes } from '../../../support/media-requests.ts';
import { lastStatus, openRawConnection, type RawConnection } from '../../../support/raw-connection.ts';
import { TestClient } from '../../../support/test-client.ts';

const uploadPath = '/_matrix/media/v3/upload';
const bytesMax = 1_000_000;
let server: LoopbackServer;
let alice: MediaClient;
let bob: MediaClient;
beforeAll(async () => {
  server = await startLoopbackServer({
    config: { ...mediaListeners, media: `{ upload_bytes_max: ${bytesMax}, pending_uploads_max: 3 }` },
  });
  alice = await MediaClient.register(server, 'alice');
  bob = await MediaClient.register(server, 'bob');
});
afterAll(() => server.close());

const unfinished = (): string[] => readdirSync(join(server.dataFolder, 'media/partial'));
const stored = (): number =>
  readdirSync(join(server.dataFolder, 'media/blobs'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;
const connect = (): RawConnection => openRawConnection(Number(new URL(server.url).port));
const head = (more: string): string =>
  `POST ${uploadPath} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${alice.token}\r\n${more}\r\n\r\n`;

describe('an upload', () => {
  it('can be downloaded by others, with its type and name', async () => {
    const bytes = Buffer.from('hello');
    const uri = await alice.upload(bytes, 'text/plain', 'greeting.txt');
    expect(uri).toMatch(/^mxc:\/\/localhost\/[A-Za-z0-9_-]{24}$/);
    const reply = await bob.download(uri);
    expect(reply.status).toBe(200);
    expect(reply.bytes).toEqual(bytes);
    expect(reply.headers.get('content-type')).toBe('text/plain');
    expect(reply.headers.get('content-disposition')).toBe('inline; filename=greeting.txt');
  });

  it('of the same content is stored once and named twice', async () => {
    const bytes = bytesOf(70_000);
    const before = stored();
    const [first, second] = [await alice.upload(bytes), await bob.upload(bytes, 'text/plain')];
    expect(first).not.toBe(second);
    expect(stored()).toBe(before + 1);
    expect((await alice.download(second)).headers.get('content-type')).toBe('text/plain');
  });

  it('may come in chunks, of no known length, and at the older paths', async () => {
    for (const path of [uploadPath, '/_matrix/media/r0/upload', '/_matrix/media/v1/upload']) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(1_000));
          controller.enqueue(new Uint8Array(2_000));
          controller.close();
        },
      });
      const reply = await alice.request('POST', path, { body });
      const { content_uri: uri } = JSON.parse(reply.bytes.toString()) as { content_uri: string };
      expect((await bob.download(uri)).bytes).toEqual(Buffer.alloc(3_000));
    }
  });

  it('may be empty', async () => {
    expect((await bob.download(await alice.upload(Buffer.alloc(0)))).bytes.length).toBe(0);
    const bodyless = await alice.request('POST', uploadPath);
    expect(bodyless.status).toBe(200);
  });
});

describe('the type of a file', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  const page = Buffer.from('<!doctype html><script>alert(1)</script>');
  const told = async (bytes: Buffer, contentType: string): Promise<unknown> => {
    const { headers } = await bob.download(await alice.upload(bytes, contentType));
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    return [headers.get('content-type'), headers.get('content-disposition')];
  };

  it('is what the client said, and decides whether browsers show it', async () => {
    expect(await told(png, 'image/png')).toEqual(['image/png', 'inline']);
    expect(await told(page, 'Text/Plain; charset=utf-8')).toEqual(['Text/Plain; charset=utf-8', 'inline']);
    expect(await told(page, 'text/html')).toEqual(['text/html', 'attachment']);
    expect(await told(Buffer.from('<svg/>'), 'image/svg+xml')).toEqual(['image/svg+xml', 'attachment']);
    expect(await told(page, 'application/javascript')).toEqual(['application/javascript', 'attachment']);
  });

  it('is unknown where it was not said, is none, or is plainly wrong', async () => {
    const unknown = ['application/octet-stream', 'attachment'];
    expect(await told(page, 'image/png')).toEqual(unknown);
    expect(await told(png, 'image/jpeg')).toEqual(unknown);
    expect(await told(page, 'image')).toEqual(unknown);
    const { bytes } = await alice.request('POST', uploadPath, { body: page });
    const { content_uri: uri } = JSON.parse(bytes.toString()) as { content_uri: string };
    expect((await bob.download(uri)).headers.get('content-type')).toBe(unknown[0]);
  });
});

describe('what is refused', () => {
  const refused = async (path: string, request: Parameters<MediaClient['request']>[2]): Promise<unknown> => {
    const before = stored();
    const { status, errcode } = await alice.request('POST', path, request);
    expect([unfinished(), stored()]).toEqual([[], before]);
    return [status, errcode];
  };

  it('is too long, and nothing of it is read or kept', async () => {
    expect(await refused(uploadPath, { body: Buffer.alloc(bytesMax + 1) })).toEqual([413, 'M_TOO_LARGE']);
    const connection = connect();
    connection.send(head('Content-Length: 5000000000\r\nExpect: 100-continue'));
    expect(await connection.until((text) => text.includes('M_TOO_LARGE'))).not.toContain('100 Continue');
    connection.destroy();
    const chunked = connect();
    chunked.send(head('Transfer-Encoding: chunked'));
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    for (let sent = 0; sent <= bytesMax; sent += 65_536) chunked.send(chunk);
    expect(lastStatus(await chunked.until((text) => text.includes('M_TOO_LARGE')))).toBe(413);
    chunked.destroy();
    expect(unfinished()).toEqual([]);
  });

  it('is compressed, or has a name that is too long', async () => {
    const body = Buffer.from('x');
    expect(await refused(uploadPath, { body, headers: { 'content-encoding': 'gzip' } })).toEqual([415, 'M_UNKNOWN']);
    expect(await refused(`${uploadPath}?filename=${'n'.repeat(1_025)}`, { body })).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('is of who has no access token, or is suspended', async () => {
    const body = Buffer.from('x');
    expect(await requestBytes(server, 'POST', uploadPath, { body })).toMatchObject({ errcode: 'M_MISSING_TOKEN' });
    const administrator = await TestClient.registerAdministrator(server);
    const carol = await MediaClient.register(server, 'carol');
    await administrator.setSuspended(carol.userId, true);
    for (const path of [uploadPath, '/_matrix/media/v1/create'])
      expect(await carol.request('POST', path, { body })).toMatchObject({ status: 403, errcode: 'M_USER_SUSPENDED' });
  });

  it('is exactly at the limit still fine', async () => {
    expect((await bob.download(await alice.upload(bytesOf(bytesMax)))).bytes.length).toBe(bytesMax);
  });
});

describe('a client that goes away', () => {
  it('leaves nothing', async () => {
    const before = stored();
    for (const framing of ['Content-Length: 500000', 'Transfer-Encoding: chunked']) {
      const connection = connect();
      connection.send(head(framing));
      connection.send(framing.startsWith('C') ? 'x'.repeat(100_000) : `186a0\r\n${'x'.repeat(100_000)}`);
      await vi.waitUntil(() => unfinished().length === 1, { timeout: 30_000 });
      connection.destroy();
      await vi.waitUntil(() => unfinished().length === 0, { timeout: 30_000 });
    }
    expect(stored()).toBe(before);
  });

  it('may send more than it announced: that is no request, and ends everything', async () => {
    const connection = connect();
    connection.send(`${head('Content-Length: 5')}helloworld\r\n\r\n`);
    expect(lastStatus(await connection.ended())).toBe(400);
    await vi.waitUntil(() => unfinished().length === 0, { timeout: 30_000 });
  });

  it('is invited to send when it waits for that', async () => {
    const connection = connect();
    connection.send(head('Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close'));
    await connection.until((text) => text.includes('100 Continue'));
    connection.send('hello');
    expect(lastStatus(await connection.ended())).toBe(200);
  });
});

describe('an asynchronous upload', () => {
  const put = (client: MediaClient, uri: string, body: Buffer, query = '') =>
    client.request('PUT', `${uploadPath}/${uri.slice('mxc://'.length)}${query}`, {
      body,
      headers: { 'content-type': 'text/plain' },
    });
  const wait = (client: MediaClient, uri: string, timeoutMs: number) =>
    client.request('GET', `/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}?timeout_ms=${timeoutMs}`);

  it('gives content to what was created, once', async () => {
    const uri = await alice.create();
    expect(await wait(bob, uri, 0)).toMatchObject({ status: 504, errcode: 'M_NOT_YET_UPLOADED' });
    const done = await put(alice, uri, Buffer.from('first'), '?filename=a.txt');
    expect([done.status, done.bytes.toString()]).toEqual([200, '{}']);
    const again = await put(alice, uri, Buffer.from('second'));
    expect([again.status, again.errcode]).toEqual([409, 'M_CANNOT_OVERWRITE_MEDIA']);
    const reply = await bob.download(uri);
    expect([reply.bytes.toString(), reply.headers.get('content-disposition')]).toEqual([
      'first',
      'inline; filename=a.txt',
    ]);
  });

  it('is waited for by those who download', async () => {
    const uri = await alice.create();
    const waiting = [wait(bob, uri, 60_000), wait(alice, uri, 60_000)];
    await put(alice, uri, Buffer.from('at last'));
    for (const reply of await Promise.all(waiting)) expect(reply.bytes.toString()).toBe('at last');
  });

  it('is won by one of two at a time, and nothing of the other is left', async () => {
    const uri = await alice.create();
    const replies = await Promise.all([put(alice, uri, bytesOf(200_001)), put(alice, uri, bytesOf(200_002))]);
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const winner = replies[0]?.status === 200 ? 200_001 : 200_002;
    expect((await bob.download(uri)).bytes.length).toBe(winner);
    expect(unfinished()).toEqual([]);
  });

  it('is for who created it, and for what was created', async () => {
    const uri = await alice.create();
    expect(await put(bob, uri, Buffer.from('x'))).toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
    for (const other of ['mxc://localhost/unknown', 'mxc://elsewhere.example/abc', 'mxc://localhost/..%2fx'])
      expect(await put(alice, other, Buffer.from('x'))).toMatchObject({ status: 404, errcode: 'M_NOT_FOUND' });
    await put(alice, uri, Buffer.from('x'));
  });

  it('is begun only so many times without being made', async () => {
    const dora = await MediaClient.register(server, 'dora');
    const uris = [await dora.create(), await dora.create(), await dora.create()];
    const refused = await dora.request('POST', '/_matrix/media/v1/create');
    expect([refused.status, refused.errcode]).toEqual([429, 'M_LIMIT_EXCEEDED']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_600);
    await put(dora, uris[0] ?? '', Buffer.from('x'));
    expect(await dora.create()).toMatch(/^mxc:/);
  });
});

describe('the configuration', () => {
  it('says how large files may be, to who has an access token', async () => {
    const paths = ['client/v1/media', 'media/v3', 'media/r0', 'media/v1'].map((area) => `/_matrix/${area}/config`);
    for (const path of paths) {
      const { bytes } = await alice.request('GET', path);
      expect(JSON.parse(bytes.toString())).toEqual({ 'm.upload.size': bytesMax });
      expect(await requestBytes(server, 'GET', path)).toMatchObject({ errcode: 'M_MISSING_TOKEN' });
    }
  });
});
