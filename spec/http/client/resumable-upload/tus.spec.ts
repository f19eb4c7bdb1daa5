/** tus 1.0, by requests as the protocol has them. https://tus.io/protocols/resumable-upload */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from '../../../media/blob-store-contract.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../../../support/media-requests.ts';
import { type Answer, jsonOf, openRequest, resumable, send, write } from '../../../support/resumable-uploads.ts';

let server: LoopbackServer;
let alice: MediaClient;
let bob: MediaClient;
beforeAll(async () => {
  const media = '{ upload_bytes_max: 30000000, resumable_uploads_max: 50 }';
  server = await startLoopbackServer({ config: { ...mediaListeners, media } });
  alice = await MediaClient.register(server, 'alice');
  bob = await MediaClient.register(server, 'bob');
});
afterAll(() => server.close());

type Headers = Readonly<Record<string, string | number>>;
const version = { 'tus-resumable': '1.0.0' };
const offsetStream = { 'content-type': 'application/offset+octet-stream' };
const metadata = (entries: Readonly<Record<string, string>>): Headers => ({
  'upload-metadata': Object.entries(entries)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(','),
});
const post = (headers: Headers, body?: Buffer, token: string | undefined = alice.token): Promise<Answer> =>
  send(server.url, 'POST', `${resumable}/tus`, {
    token,
    headers: { ...version, ...headers },
    ...(body === undefined ? {} : { body }),
  });
const begin = async (headers: Headers): Promise<string> => {
  const answer = await post(headers);
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return answer.headers['location'] ?? '';
};
const head = (location: string, token?: string): Promise<Answer> =>
  send(server.url, 'HEAD', location, { headers: version, token });
const patch = (
  location: string,
  offset: number,
  body: Buffer,
  headers: Headers = {},
  token?: string,
): Promise<Answer> =>
  send(server.url, 'PATCH', location, {
    body,
    token,
    headers: { ...version, ...offsetStream, 'upload-offset': offset, ...headers },
  });
const remove = (location: string): Promise<Answer> => send(server.url, 'DELETE', location, { headers: version });

describe('an upload', () => {
  it('is created, goes up in parts, and is a file with its name and type', async () => {
    const bytes = bytesOf(200_000);
    const created = await post({
      'upload-length': bytes.length,
      ...metadata({ filename: '../../етц/passwd\n', filetype: 'text/plain' }),
    });
    expect([created.status, created.headers['tus-resumable']]).toEqual([201, '1.0.0']);
    const { location = '', 'matrix-content-uri': uri = '' } = created.headers;
    expect(jsonOf(created)).toEqual({ content_uri: uri });
    expect(new Date(created.headers['upload-expires'] ?? '').getTime()).toBeGreaterThan(0);
    expect((await patch(location, 0, bytes.subarray(0, 7))).headers['upload-offset']).toBe('7');
    const where = await head(location);
    expect(where.headers).toMatchObject({
      'upload-offset': '7',
      'upload-length': '200000',
      'cache-control': 'no-store',
      'tus-resumable': '1.0.0',
      ...metadata({ filename: 'passwd', filetype: 'text/plain' }),
    });
    const last = await patch(location, 7, bytes.subarray(7));
    expect([last.status, last.headers['upload-offset'], last.headers['matrix-content-uri']]).toEqual([
      204,
      '200000',
      uri,
    ]);
    expect((await head(location)).headers['upload-offset']).toBe('200000');
    const reply = await bob.download(uri);
    expect(reply.bytes.equals(bytes)).toBe(true);
    expect(reply.headers.get('content-type')).toBe('text/plain');
    expect(reply.headers.get('content-disposition')).toBe('inline; filename=passwd');
  });

  it('begins with its creation', async () => {
    const bytes = bytesOf(1_000);
    const answer = await post({ 'upload-length': 1_000, ...offsetStream }, bytes);
    expect([answer.status, answer.headers['upload-offset']]).toEqual([201, '1000']);
    expect((await bob.download(answer.headers['matrix-content-uri'] ?? '')).bytes.equals(bytes)).toBe(true);
  });

  it('may be empty', async () => {
    const answer = await post({ 'upload-length': 0 });
    expect(answer.status).toBe(201);
    expect((await bob.download(answer.headers['matrix-content-uri'] ?? '')).bytes).toHaveLength(0);
  });

  it('may say its length later', async () => {
    const location = await begin({ 'upload-defer-length': 1 });
    await patch(location, 0, bytesOf(10));
    expect((await head(location)).headers['upload-defer-length']).toBe('1');
    const last = await patch(location, 10, Buffer.alloc(0), { 'upload-length': 10 });
    expect(last.status).toBe(204);
    expect((await bob.download(last.headers['matrix-content-uri'] ?? '')).bytes.equals(bytesOf(10))).toBe(true);
  });

  it('fills what was created before', async () => {
    const uri = await alice.create();
    const location = await begin({ 'upload-length': 10, ...metadata({ content_uri: uri }) });
    expect((await patch(location, 0, bytesOf(10))).headers['matrix-content-uri']).toBe(uri);
    expect((await bob.download(uri)).bytes.equals(bytesOf(10))).toBe(true);
    const again = await post({ 'upload-length': 10, ...metadata({ content_uri: uri }) });
    expect([again.status, jsonOf(again)['errcode']]).toEqual([409, 'M_CANNOT_OVERWRITE_MEDIA']);
    const wrong = await post({ 'upload-length': 10, ...metadata({ content_uri: 'https://a' }) });
    expect([wrong.status, jsonOf(wrong)['errcode']]).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('keeps of a cut connection what arrived', async () => {
    const bytes = bytesOf(5_000_000);
    const location = await begin({ 'upload-length': bytes.length });
    const open = openRequest(server.url, 'PATCH', location, {
      headers: { ...version, ...offsetStream, 'upload-offset': 0, 'content-length': bytes.length },
    });
    await write(open.request, bytes.subarray(0, 4_000_000));
    await open.cut();
    const offset = Number((await head(location)).headers['upload-offset']);
    expect(offset).toBeGreaterThan(4_000_000 - 300_000);
    const last = await patch(location, offset, bytes.subarray(offset));
    expect((await bob.download(last.headers['matrix-content-uri'] ?? '')).bytes.equals(bytes)).toBe(true);
  });

  it('goes on by POST where a client can send nothing else', async () => {
    const location = await begin({ 'upload-length': 10 });
    const headers = { ...version, ...offsetStream, 'upload-offset': 0, 'x-http-method-override': 'PATCH' };
    expect((await send(server.url, 'POST', location, { headers, body: bytesOf(10) })).status).toBe(204);
    const other = { ...version, 'x-http-method-override': 'PUT' };
    expect((await send(server.url, 'POST', location, { headers: other })).status).toBe(405);
  });

  it('ends by DELETE', async () => {
    const location = await begin({ 'upload-length': 10 });
    expect((await remove(location)).status).toBe(204);
    expect((await head(location)).status).toBe(404);
    expect((await remove(location)).status).toBe(404);
  });
});

describe('what is refused', () => {
  it('is a stranger, and nobody who has the URL', async () => {
    const location = await begin({ 'upload-length': 10 });
    expect((await head(location, bob.token)).status).toBe(403);
    expect((await patch(location, 0, bytesOf(1), {}, bob.token)).status).toBe(403);
    expect((await patch(location, 0, bytesOf(1), {}, 'ended')).status).toBe(204);
    expect((await post({ 'upload-length': 10 }, undefined, 'ended')).status).toBe(401);
  });

  it.each<[string, Headers, number]>([
    ['another offset', { 'upload-offset': 5 }, 409],
    ['no offset', { 'upload-offset': '' }, 400],
    ['a negative offset', { 'upload-offset': -1 }, 400],
    ['another type', { 'content-type': 'text/plain' }, 400],
    ['another version', { 'tus-resumable': '0.2.2' }, 400],
    ['more than the length', {}, 413],
  ])('is %s', async (what, headers, status) => {
    const location = await begin({ 'upload-length': 10 });
    const answer = await patch(location, 0, bytesOf(what === 'more than the length' ? 11 : 5), headers);
    expect([answer.status, answer.headers['tus-resumable']]).toEqual([status, '1.0.0']);
    expect((await head(location)).headers['upload-offset']).toBe('0');
  });

  it.each<[string, Headers, number]>([
    ['no length', {}, 400],
    ['too long', { 'upload-length': 30_000_001 }, 413],
    ['a length that is none', { 'upload-length': 'x' }, 400],
    ['metadata that is none', { 'upload-length': 1, 'upload-metadata': 'a b c' }, 400],
    ['a part of something', { 'upload-length': 1, 'upload-concat': 'partial' }, 501],
    ['a very long name', { 'upload-length': 1, ...metadata({ filename: 'x'.repeat(2_000) }) }, 400],
  ])('is to create %s', async (_what, headers, status) => {
    expect((await post(headers)).status).toBe(status);
  });

  it('is a compressed body', async () => {
    const location = await begin({ 'upload-length': 10 });
    expect((await patch(location, 0, bytesOf(1), { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await head(location)).headers['upload-offset']).toBe('0');
  });
});

it('is announced', async () => {
  const { status, headers } = await send(server.url, 'OPTIONS', `${resumable}/tus`);
  expect([status, headers['tus-version'], headers['tus-max-size']]).toEqual([204, '1.0.0', '30000000']);
  expect(headers['tus-extension']?.split(',')).toEqual([
    'creation',
    'creation-with-upload',
    'creation-defer-length',
    'termination',
    'expiration',
  ]);
});
