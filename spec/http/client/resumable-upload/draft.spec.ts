/** The interface of draft-ietf-httpbis-resumable-upload, by requests as the draft has them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../journeys/support/eventually.ts';
import { bytesOf } from '../../../media/blob-store-contract.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../../../support/media-requests.ts';
import { passwordOfTests } from '../../../support/test-accounts.ts';
import { type Answer, jsonOf, openRequest, resumable, send, write } from '../../../support/resumable-uploads.ts';

let server: LoopbackServer;
let alice: MediaClient;
let bob: MediaClient;
beforeAll(async () => {
  const media = '{ upload_bytes_max: 30000000, resumable_uploads_max: 4 }';
  server = await startLoopbackServer({ config: { ...mediaListeners, media } });
  alice = await MediaClient.register(server, 'alice');
  bob = await MediaClient.register(server, 'bob');
});
afterAll(() => server.close());

const create = `${resumable}/upload`;
type Headers = Readonly<Record<string, string | number>>;
const post = (headers: Headers, body?: Buffer, { query = '', token = alice.token } = {}): Promise<Answer> =>
  send(server.url, 'POST', create + query, { token, headers, ...(body === undefined ? {} : { body }) });
const begin = async (headers: Headers = {}, query = ''): Promise<string> => {
  const answer = await post({ 'upload-complete': '?0', ...headers }, Buffer.alloc(0), { query });
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return answer.headers['location'] ?? '';
};
const head = (location: string, token?: string): Promise<Answer> => send(server.url, 'HEAD', location, { token });
const partial = { 'content-type': 'application/partial-upload' };
const patch = (
  location: string,
  offset: number,
  isLast: boolean,
  body: Buffer,
  headers: Headers = {},
): Promise<Answer> =>
  send(server.url, 'PATCH', location, {
    body,
    headers: { ...partial, 'upload-offset': offset, 'upload-complete': isLast ? '?1' : '?0', ...headers },
  });
const remove = (location: string, token?: string): Promise<Answer> => send(server.url, 'DELETE', location, { token });
const refusal = ({ status, ...answer }: Answer): unknown => [status, jsonOf({ status, ...answer })['errcode']];

describe('an upload in one request', () => {
  it('is answered with its URI, and can be fetched by others with its type and name', async () => {
    const bytes = bytesOf(100_000);
    const disposition = `inline; filename="report.pdf"; filename*=UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.pdf`;
    const headers = { 'content-type': 'application/pdf', 'content-disposition': disposition, 'upload-complete': '?1' };
    const answer = await post(headers, bytes);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'upload-complete': '?1', 'upload-offset': '100000' });
    expect(answer.interim).toEqual([]);
    const uri = String(jsonOf(answer)['content_uri']);
    expect(answer.headers['matrix-content-uri']).toBe(uri);
    const reply = await bob.download(uri);
    expect(reply.bytes.equals(bytes)).toBe(true);
    expect(reply.headers.get('content-type')).toBe('application/pdf');
    expect(reply.headers.get('content-disposition')).toContain("UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.pdf");
  });

  it('may be empty', async () => {
    const answer = await post({ 'upload-complete': '?1' }, Buffer.alloc(0));
    expect(answer.status).toBe(200);
    expect((await bob.download(String(jsonOf(answer)['content_uri']))).bytes).toHaveLength(0);
  });

  it('tells of its resource before the end, to clients of this version of the draft', async () => {
    const bytes = bytesOf(1_000);
    for (const [version, count] of [
      [8, 1],
      [7, 0],
    ] as const) {
      const answer = await post({ 'upload-complete': '?1', 'upload-draft-interop-version': version }, bytes);
      expect(answer.status).toBe(200);
      expect(answer.interim.filter(({ status }) => status === 104)).toHaveLength(count);
      if (count === 1)
        expect(answer.interim[0]?.headers).toMatchObject({
          location: answer.headers['location'],
          'upload-limit': 'max-size=30000000',
          'upload-draft-interop-version': '8',
        });
    }
  });
});

describe('an upload in parts', () => {
  it('continues where each part ended', async () => {
    const bytes = bytesOf(300_000);
    const location = await begin({ 'upload-length': 300_000, 'content-type': 'text/plain' }, '?filename=a.txt');
    expect(location).toMatch(/^\/_matrix\/media\/unstable\/org\.veche\.resumable\/upload\/[A-Za-z0-9_-]{43}$/);
    expect((await head(location)).headers).toMatchObject({ 'upload-offset': '0', 'upload-complete': '?0' });
    const first = await patch(location, 0, false, bytes.subarray(0, 5));
    expect([first.status, first.headers['upload-complete']]).toEqual([204, '?0']);
    expect((await patch(location, 5, false, bytes.subarray(5, 200_000))).status).toBe(204);
    const where = await head(location);
    expect(where.status).toBe(204);
    expect(where.headers).toMatchObject({
      'upload-offset': '200000',
      'upload-complete': '?0',
      'upload-length': '300000',
      'cache-control': 'no-store',
    });
    expect(where.headers['upload-limit']).toMatch(/^max-size=30000000, max-age=8\d{4}$/);
    const uri = where.headers['matrix-content-uri'] ?? '';
    expect((await bob.request('GET', `/_matrix/client/v1/media/download/${uri.slice(6)}?timeout_ms=0`)).errcode).toBe(
      'M_NOT_YET_UPLOADED',
    );
    const last = await patch(location, 200_000, true, bytes.subarray(200_000));
    expect([last.status, last.headers['upload-complete'], jsonOf(last)]).toEqual([200, '?1', { content_uri: uri }]);
    expect((await head(location)).headers).toMatchObject({ 'upload-offset': '300000', 'upload-complete': '?1' });
    const reply = await bob.download(uri);
    expect(reply.bytes.equals(bytes)).toBe(true);
    expect(reply.headers.get('content-disposition')).toBe('inline; filename=a.txt');
  });

  it('needs no length before its end, which may come by an empty part', async () => {
    const location = await begin();
    await patch(location, 0, false, bytesOf(10));
    const last = await patch(location, 10, true, Buffer.alloc(0));
    expect(last.status).toBe(200);
    expect((await bob.download(String(jsonOf(last)['content_uri']))).bytes.equals(bytesOf(10))).toBe(true);
  });

  it('fills what was created before', async () => {
    const uri = await alice.create();
    const location = await begin({}, `?content_uri=${encodeURIComponent(uri)}`);
    const waiting = bob.request('GET', `/_matrix/client/v1/media/download/${uri.slice(6)}?timeout_ms=60000`);
    expect(jsonOf(await patch(location, 0, true, bytesOf(10)))).toEqual({ content_uri: uri });
    expect((await waiting).bytes.equals(bytesOf(10))).toBe(true);
    for (const [token, errcode] of [
      [alice.token, 'M_CANNOT_OVERWRITE_MEDIA'],
      [bob.token, 'M_FORBIDDEN'],
    ] as const) {
      const query = `?content_uri=${encodeURIComponent(uri)}`;
      expect(jsonOf(await post({ 'upload-complete': '?0' }, Buffer.alloc(0), { query, token }))['errcode']).toBe(
        errcode,
      );
    }
  });

  it('keeps of a cut connection what arrived, and tells how far it is while it comes', async () => {
    const bytes = bytesOf(20_000_000);
    const location = await begin({ 'upload-length': bytes.length });
    const open = openRequest(server.url, 'PATCH', location, {
      headers: {
        ...partial,
        'content-length': bytes.length,
        'upload-offset': 0,
        'upload-complete': '?1',
        'upload-draft-interop-version': 8,
      },
    });
    await write(open.request, bytes.subarray(0, 18_000_000));
    expect(Number((await open.interim(104))['upload-offset'])).toBeGreaterThanOrEqual(16_777_216);
    await open.cut();
    const offset = Number((await head(location)).headers['upload-offset']);
    // What is on its way between the socket and the reader may be lost, which is little.
    expect(offset).toBeGreaterThan(18_000_000 - 200_000);
    const last = await patch(location, offset, true, bytes.subarray(offset));
    expect((await bob.download(String(jsonOf(last)['content_uri']))).bytes.equals(bytes)).toBe(true);
  });

  it('is taken over from a connection that still seems to live', async () => {
    const bytes = bytesOf(20_000_000);
    const location = await begin();
    const dead = openRequest(server.url, 'PATCH', location, {
      headers: {
        ...partial,
        'content-length': bytes.length,
        'upload-offset': 0,
        'upload-complete': '?1',
        'upload-draft-interop-version': 8,
      },
    });
    await write(dead.request, bytes.subarray(0, 17_000_000));
    const told = Number((await dead.interim(104))['upload-offset']);
    const offset = Number((await head(location)).headers['upload-offset']);
    expect(offset).toBeGreaterThanOrEqual(told);
    await expect(dead.answer).rejects.toThrow(/socket hang up|ECONNRESET/);
    const last = await patch(location, offset, true, bytes.subarray(offset));
    expect((await bob.download(String(jsonOf(last)['content_uri']))).bytes.equals(bytes)).toBe(true);
  });

  it('has one writer when many come at once', async () => {
    const location = await begin();
    const bytes = bytesOf(50_000);
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => patch(location, 0, false, bytes)));
    const statuses = answers.map((one) => (one.status === 'fulfilled' ? one.value.status : 0));
    expect(statuses.filter((status) => status === 204).length).toBeLessThanOrEqual(1);
    const offset = Number((await head(location)).headers['upload-offset']);
    const last = await patch(location, offset, true, bytes.subarray(offset));
    expect((await bob.download(String(jsonOf(last)['content_uri']))).bytes.equals(bytes)).toBe(true);
  });

  it('ends by DELETE, with its URI', async () => {
    const location = await begin();
    const uri = (await head(location)).headers['matrix-content-uri'] ?? '';
    expect((await remove(location)).status).toBe(204);
    expect((await head(location)).status).toBe(404);
    expect(refusal(await patch(location, 0, true, bytesOf(1)))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await remove(location))).toEqual([404, 'M_NOT_FOUND']);
    expect((await bob.download(uri)).status).toBe(404);
  });
});

describe('who may', () => {
  it('create: who has an access token', async () => {
    const nobody = await send(server.url, 'POST', create, { headers: { 'upload-complete': '?0' } });
    expect(refusal(nobody)).toEqual([401, 'M_MISSING_TOKEN']);
    const ended = await send(server.url, 'POST', create, { token: 'ended', headers: { 'upload-complete': '?0' } });
    expect(refusal(ended)).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it('continue: who has its URL, with a token that has ended as well as with none, but nobody else', async () => {
    const location = await begin();
    expect((await head(location, 'a_token_that_has_ended')).status).toBe(204);
    expect((await head(location, alice.token)).status).toBe(204);
    expect((await head(location, bob.token)).status).toBe(403);
    const stranger = await send(server.url, 'PATCH', location, {
      token: bob.token,
      body: bytesOf(1),
      headers: { ...partial, 'upload-offset': 0, 'upload-complete': '?1' },
    });
    expect(refusal(stranger)).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await remove(location, bob.token))).toEqual([403, 'M_FORBIDDEN']);
    expect((await remove(location, 'a_token_that_has_ended')).status).toBe(204);
  });

  it('continue: nobody whose account was closed', async () => {
    const carol = await MediaClient.register(server, 'carol');
    const answer = await post({ 'upload-complete': '?0' }, Buffer.alloc(0), { token: carol.token });
    const location = answer.headers['location'] ?? '';
    const identifier = { type: 'm.id.user', user: 'carol' };
    const auth = { type: 'm.login.password', identifier, password: passwordOfTests };
    const body = Buffer.from(JSON.stringify({ auth }));
    expect((await carol.request('POST', '/_matrix/client/v3/account/deactivate', { body })).status).toBe(200);
    expect(refusal(await patch(location, 0, true, bytesOf(1)))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('have open: so many at once, and further ones when some have ended', async () => {
    const dora = await MediaClient.register(server, 'dora');
    const open = (): Promise<Answer> => post({ 'upload-complete': '?0' }, Buffer.alloc(0), { token: dora.token });
    const locations: string[] = [];
    for (let count = 0; count < 4; count++) locations.push((await open()).headers['location'] ?? '');
    const refused = await open();
    expect(refusal(refused)).toEqual([429, 'M_LIMIT_EXCEEDED']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await remove(locations[0] ?? '');
    expect((await open()).status).toBe(201);
  });
});

describe('what is wrong', () => {
  it('is another offset: 409 with the right one, and nothing is lost', async () => {
    const location = await begin();
    await patch(location, 0, false, bytesOf(10));
    for (const offset of [0, 9, 11]) {
      const answer = await patch(location, offset, true, bytesOf(5));
      expect([answer.status, answer.headers['upload-offset'], answer.headers['content-type']]).toEqual([
        409,
        '10',
        'application/problem+json',
      ]);
      expect(jsonOf(answer)).toMatchObject({
        type: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
        'expected-offset': 10,
        'provided-offset': offset,
        errcode: 'ORG.VECHE_UPLOAD_OFFSET',
      });
    }
    expect((await patch(location, 10, true, Buffer.alloc(0))).status).toBe(200);
  });

  it('is a length that does not agree', async () => {
    const length = 'https://iana.org/assignments/http-problem-types#inconsistent-upload-length';
    expect(jsonOf(await post({ 'upload-complete': '?1', 'upload-length': 11 }, bytesOf(10)))['type']).toBe(length);
    const location = await begin({ 'upload-length': 10 });
    expect(jsonOf(await patch(location, 0, true, bytesOf(9)))['type']).toBe(length);
    expect(jsonOf(await patch(location, 0, false, bytesOf(9), { 'upload-length': 9 }))['type']).toBe(length);
    expect((await head(location)).headers['upload-offset']).toBe('0');
    // Beyond what was said an upload is none any more.
    expect(jsonOf(await patch(location, 0, false, bytesOf(11)))['type']).toBe(length);
    expect((await head(location)).status).toBe(404);
  });

  it('is to go on with what is complete', async () => {
    const location = await begin();
    await patch(location, 0, true, bytesOf(10));
    const answer = await patch(location, 10, true, Buffer.alloc(0));
    expect([answer.status, jsonOf(answer)['type']]).toEqual([
      400,
      'https://iana.org/assignments/http-problem-types#completed-upload',
    ]);
  });

  it('is too much: 413 with the limit', async () => {
    const tooMuch = await post({ 'upload-complete': '?0', 'upload-length': 30_000_001 }, Buffer.alloc(0));
    expect([...(refusal(tooMuch) as unknown[]), tooMuch.headers['upload-limit']]).toEqual([
      413,
      'M_TOO_LARGE',
      'max-size=30000000',
    ]);
    const location = await begin();
    await patch(location, 0, false, bytesOf(29_999_999));
    expect(refusal(await patch(location, 29_999_999, false, bytesOf(2)))).toEqual([413, 'M_TOO_LARGE']);
    expect((await head(location)).status).toBe(404);
  });

  it.each([
    ['no Upload-Complete', {}, 400],
    ['an Upload-Complete that is none', { 'upload-complete': 'true' }, 400],
    ['no Upload-Offset', { 'upload-complete': '?1', 'upload-offset': '' }, 400],
    ['an Upload-Offset that is none', { 'upload-complete': '?1', 'upload-offset': '-1' }, 400],
    ['another type', { 'upload-complete': '?1', 'upload-offset': 0, 'content-type': 'text/plain' }, 415],
    ['a compressed body', { 'upload-complete': '?1', 'upload-offset': 0, 'content-encoding': 'gzip' }, 415],
  ])('is %s', async (_what, headers, status) => {
    const location = await begin();
    const given = { ...partial, 'upload-offset': 0, ...headers };
    expect((await send(server.url, 'PATCH', location, { headers: given, body: bytesOf(1) })).status).toBe(status);
    expect((await head(location)).headers['upload-offset']).toBe('0');
    await remove(location);
  });

  it.each(['x', '..', 'a'.repeat(43), `${'a'.repeat(42)}%2F`, '%2e%2e%2fetc'])('is the URL %s', async (token) => {
    for (const method of ['HEAD', 'PATCH', 'DELETE']) {
      const headers = { ...partial, 'upload-offset': 0, 'upload-complete': '?1' };
      const answer = await send(server.url, method, `${create}/${token}`, { headers });
      expect(answer.status).toBe(404);
    }
  });

  it('leaves nothing when the client never heard of the upload', async () => {
    const erin = await MediaClient.register(server, 'erin');
    for (let count = 0; count < 5; count++) {
      const open = openRequest(server.url, 'POST', create, {
        token: erin.token,
        headers: { 'upload-complete': '?1', 'content-length': 1_000 },
      });
      await write(open.request, bytesOf(10));
      await open.cut();
    }
    await eventually('all to be forgotten', async () => {
      const answer = await post({ 'upload-complete': '?1' }, bytesOf(1), { token: erin.token });
      return answer.status === 200 || undefined;
    });
  });
});

it('is announced', async () => {
  const options = await send(server.url, 'OPTIONS', create);
  expect(options.headers).toMatchObject({
    'accept-patch': 'application/partial-upload',
    'upload-limit': 'max-size=30000000',
  });
  expect(options.headers['access-control-allow-methods']).toContain('PATCH');
  const versions = await send(server.url, 'GET', '/_matrix/client/versions');
  expect(jsonOf(versions)['unstable_features']).toMatchObject({ 'org.veche.resumable': true });
});

it('tells pages of other origins all of it', async () => {
  const { headers } = await post({ 'upload-complete': '?1', origin: 'https://app.example' }, bytesOf(1));
  expect(headers['access-control-allow-origin']).toBe('*');
  for (const name of ['Location', 'Upload-Offset', 'Upload-Complete', 'Upload-Limit', 'Matrix-Content-Uri'])
    expect(headers['access-control-expose-headers']).toContain(name);
});
