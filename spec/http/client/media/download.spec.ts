import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from '../../../media/blob-store-contract.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { downloadPath, MediaClient, mediaListeners, requestBytes } from '../../../support/media-requests.ts';

let server: LoopbackServer;
let alice: MediaClient;
let bob: MediaClient;
const bytes = bytesOf(300_000);
let uri: string;
let etag: string;
beforeAll(async () => {
  server = await startLoopbackServer({ config: { ...mediaListeners, federation: '{ enabled: false }' } });
  alice = await MediaClient.register(server, 'alice');
  bob = await MediaClient.register(server, 'bob');
  uri = await alice.upload(bytes, 'application/pdf', 'book.pdf');
  etag = (await bob.download(uri)).headers.get('etag') ?? '';
});
afterAll(() => server.close());

const policy =
  "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';";

describe('a download', () => {
  it('says what the specification wants to be said', async () => {
    const { status, headers, bytes: received } = await bob.download(uri);
    expect(status).toBe(200);
    expect(received.equals(bytes)).toBe(true);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': '300000',
      'content-disposition': 'attachment; filename=book.pdf',
      'content-security-policy': policy,
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=31536000, immutable',
      etag: expect.stringMatching(/^"[A-Za-z0-9_-]{43}"$/),
      'access-control-allow-origin': '*',
      'access-control-expose-headers': expect.stringContaining('Content-Range'),
    });
    expect(headers.get('content-encoding')).toBeNull();
  });

  it('has no name where none was given, and another one where that is asked for', async () => {
    const nameless = await alice.upload(Buffer.from('x'), 'text/plain');
    expect((await bob.download(nameless)).headers.get('content-disposition')).toBe('inline');
    const named = await bob.request('GET', `${downloadPath(uri)}/${encodeURIComponent('Книга №1.pdf')}`);
    expect(named.headers.get('content-disposition')).toBe(
      `attachment; filename="????? ?1.pdf"; filename*=UTF-8''%D0%9A%D0%BD%D0%B8%D0%B3%D0%B0%20%E2%84%961.pdf`,
    );
    const tricky = await bob.request('GET', `${downloadPath(uri)}/${encodeURIComponent('../../a\r\nb: c')}`);
    expect([tricky.status, tricky.headers.get('content-disposition')]).toEqual([200, 'attachment; filename="ab: c"']);
  });

  it('is announced by HEAD', async () => {
    const { status, headers, bytes: received } = await bob.download(uri, { range: 'bytes=0-9' }, 'HEAD');
    expect([status, received.length]).toEqual([200, 0]);
    expect(headers.get('content-length')).toBe('300000');
    expect(headers.get('etag')).toBe(etag);
  });

  it.each([
    ['bytes=0-9', 0, 10],
    ['bytes=299990-', 299_990, 300_000],
    ['bytes=-10', 299_990, 300_000],
    ['bytes=65530-131080', 65_530, 131_081],
    ['bytes=0-1000000', 0, 300_000],
  ])('is the part %s', async (range, start, end) => {
    const reply = await bob.download(uri, { range });
    expect(reply.status).toBe(206);
    expect(reply.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/300000`);
    expect(reply.headers.get('content-length')).toBe(String(end - start));
    expect(reply.bytes.equals(bytes.subarray(start, end))).toBe(true);
  });

  it.each(['bytes=0-1,5-6', 'bytes=0-100,50-200', 'bytes=9-1', 'pages=1-2', 'bytes=x'])(
    'is all of it where %s is asked for',
    async (range) => {
      const reply = await bob.download(uri, { range });
      expect([reply.status, reply.bytes.length]).toEqual([200, 300_000]);
    },
  );

  it.each(['bytes=300000-', 'bytes=400000-500000', 'bytes=-0'])('is refused where %s is asked for', async (range) => {
    const reply = await bob.download(uri, { range });
    expect([reply.status, reply.errcode]).toEqual([416, 'M_UNKNOWN']);
    expect(reply.headers.get('content-range')).toBe('bytes */300000');
  });

  it('is a part only of what the client has already', async () => {
    const range = 'bytes=0-9';
    expect((await bob.download(uri, { range, 'if-range': etag })).status).toBe(206);
    for (const other of ['"other"', `W/${etag}`, 'Wed, 21 Oct 2015 07:28:00 GMT'])
      expect((await bob.download(uri, { range, 'if-range': other })).status).toBe(200);
  });

  it('is not repeated to who has it', async () => {
    const reply = await bob.download(uri, { 'if-none-match': `"other", ${etag}` });
    expect([reply.status, reply.bytes.length, reply.headers.get('etag')]).toEqual([304, 0, etag]);
    expect((await bob.download(uri, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('is of nothing too', async () => {
    const empty = await alice.upload(Buffer.alloc(0));
    const reply = await bob.download(empty);
    expect([reply.status, reply.bytes.length, reply.headers.get('content-length')]).toEqual([200, 0, '0']);
    expect((await bob.download(empty, { range: 'bytes=0-' })).status).toBe(416);
  });
});

describe('what is not there', () => {
  it.each([
    '/localhost/unknown',
    '/localhost/..%2f..%2f..%2fetc%2fpasswd',
    '/..%2f..%2fsignature/abc',
    '/localhost/a%00b',
    '/localhost/%D1%8B',
    '/local%20host/abc',
    `/localhost/${'a'.repeat(300)}`,
  ])('is not found: %s', async (path) => {
    const reply = await bob.request('GET', `/_matrix/client/v1/media/download${path}`);
    expect([reply.status, reply.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });
});

it('a file of another server is not asked for where federation is off', async () => {
  const reply = await bob.request('GET', '/_matrix/client/v1/media/download/elsewhere.example/abc');
  expect([reply.status, reply.errcode]).toEqual([403, 'M_FORBIDDEN']);
});

describe('who may download', () => {
  it('needs an access token', async () => {
    const none = await requestBytes(server, 'GET', downloadPath(uri));
    expect([none.status, none.errcode]).toEqual([401, 'M_MISSING_TOKEN']);
    const unknown = await requestBytes(server, 'GET', downloadPath(uri), { token: 'unknown' });
    expect([unknown.status, unknown.errcode]).toEqual([401, 'M_UNKNOWN_TOKEN']);
    const head = await requestBytes(server, 'HEAD', downloadPath(uri));
    expect(head.status).toBe(401);
  });

  const legacy = ['v3', 'r0', 'v1'].map((version) => `/_matrix/media/${version}/download/`);
  it('finds nothing at the paths of before Matrix 1.11', async () => {
    for (const path of legacy) {
      for (const name of ['', '/other.pdf']) {
        const reply = await bob.request('GET', path + uri.slice('mxc://'.length) + name);
        expect([reply.status, reply.errcode]).toEqual([404, 'M_NOT_FOUND']);
      }
    }
  });

  it('is everybody where the operator wants it so', async () => {
    const open = await startLoopbackServer({
      config: { ...mediaListeners, media: '{ allow_unauthenticated: true }' },
    });
    const carol = await MediaClient.register(open, 'carol');
    const place = (await carol.upload(bytes, 'image/png', 'a.png')).slice('mxc://'.length);
    for (const path of legacy) {
      const query = '?allow_remote=false&allow_redirect=true&timeout_ms=0';
      const reply = await requestBytes(open, 'GET', path + place + query, { headers: { range: 'bytes=5-9' } });
      expect([reply.status, reply.bytes.equals(bytes.subarray(5, 10))]).toEqual([206, true]);
      const renamed = await requestBytes(open, 'GET', `${path}${place}/b.png`);
      expect(renamed.headers.get('content-disposition')).toContain('filename=b.png');
    }
    await open.close();
  });
});
