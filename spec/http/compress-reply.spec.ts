import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { string } from '../../src/http/decode.ts';
import { defineEndpoint, type Endpoint } from '../../src/http/endpoint.ts';
import { openRawConnection, type RawConnection } from '../support/raw-connection.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

/** Answers with JSON of exactly so many bytes. */
const sized = (operationId: string, name: string, more: Partial<Endpoint<unknown>> = {}): Endpoint<unknown> => ({
  ...defineEndpoint({
    operationId,
    method: 'GET',
    path: `/_matrix/client/v3/${name}/{bytes}`,
    auth: 'none',
    rateLimit: 'none',
    params: { bytes: string() },
    query: {},
    handle: async ({ params }) => ({ json: jsonOf(Number(params.bytes)) }),
  }),
  ...more,
});
/** Compressible, and no two places alike. */
function jsonOf(bytes: number): string {
  let text = '{"a":"';
  for (let index = 0; text.length < bytes; index++) text += `member ${index} `;
  return `${text.slice(0, bytes - 2)}"}`;
}
const page = defineEndpoint({
  operationId: 'getMedia',
  method: 'GET',
  path: '/_matrix/client/v1/media/file',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async () => ({ headers: { 'Content-Type': 'image/svg+xml' }, raw: jsonOf(100_000) }),
});
const failing = defineEndpoint({
  operationId: 'failing',
  method: 'GET',
  path: '/_matrix/client/v3/object',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async () => ({ status: 404, json: { list: Array.from({ length: 500 }, (_, index) => index) } }),
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
async function start(): Promise<TestServer> {
  const endpoints = [sized('sized', 'sized'), sized('secret', 'secret', { repliesWithSecrets: true }), page, failing];
  const server = await startTestServer({ endpoints, domain: {} });
  closing.push(() => server.close());
  return server;
}
function open(server: TestServer): RawConnection {
  const connection = openRawConnection(server.port);
  closing.push(() => connection.destroy());
  return connection;
}

interface Raw {
  readonly head: string;
  readonly body: Buffer;
}
/** One answer as it came over the wire. */
async function rawGet(server: TestServer, path: string, acceptEncoding?: string, method = 'GET'): Promise<Raw> {
  const connection = open(server);
  const chunks: Buffer[] = [];
  connection.socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  const accept = acceptEncoding === undefined ? '' : `Accept-Encoding: ${acceptEncoding}\r\n`;
  connection.send(`${method} /_matrix/client/${path} HTTP/1.1\r\nHost: a\r\n${accept}Connection: close\r\n\r\n`);
  await connection.ended();
  const all = Buffer.concat(chunks);
  const end = all.indexOf('\r\n\r\n');
  return { head: all.subarray(0, end).toString('latin1').toLowerCase(), body: all.subarray(end + 4) };
}
const headerOf = ({ head }: Raw, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1]?.trim();
const decode = { br: brotliDecompressSync, gzip: gunzipSync };

describe('compressed replies', () => {
  it.each(['br', 'gzip'] as const)('are what they would be without %s, short or long', async (encoding) => {
    const server = await start();
    for (const bytes of [1_024, 5_000, 32_768, 32_769, 1_000_000]) {
      const answer = await rawGet(server, `v3/sized/${bytes}`, encoding);
      expect(headerOf(answer, 'content-encoding')).toBe(encoding);
      expect(headerOf(answer, 'vary')).toBe('accept-encoding');
      expect(headerOf(answer, 'content-length')).toBe(String(answer.body.length));
      expect(answer.body.length).toBeLessThan(bytes / 2);
      expect(decode[encoding](answer.body).toString()).toBe(jsonOf(bytes));
    }
  });

  it('reach clients that never think of it', async () => {
    const server = await start();
    const response = await fetch(`${server.url}/_matrix/client/v3/sized/200000`);
    expect(response.headers.get('content-encoding')).toMatch(/^(br|gzip)$/);
    expect(await response.text()).toBe(jsonOf(200_000));
  });

  it('keep their status', async () => {
    const answer = await rawGet(await start(), 'v3/object', 'gzip');
    expect(answer.head).toMatch(/^http\/1.1 404 /);
    expect(JSON.parse(gunzipSync(answer.body).toString())).toEqual({
      list: Array.from({ length: 500 }, (_, index) => index),
    });
  });

  it.each<[string, string, string | undefined]>([
    ['nobody asks', 'v3/sized/100000', undefined],
    ['another encoding is asked for', 'v3/sized/100000', 'zstd, deflate'],
    ['it is not wanted', 'v3/sized/100000', 'br;q=0, gzip;q=0'],
    ['they are short', 'v3/sized/1023', 'gzip, br'],
    ['they are no JSON of ours', 'v1/media/file', 'gzip, br'],
    ['they hold secrets', 'v3/secret/100000', 'gzip, br'],
  ])('are as they are where %s', async (_why, path, acceptEncoding) => {
    const answer = await rawGet(await start(), path, acceptEncoding);
    expect(answer.head).toMatch(/^http\/1.1 200 /);
    expect(headerOf(answer, 'content-encoding')).toBeUndefined();
    expect(headerOf(answer, 'content-length')).toBe(String(answer.body.length));
    expect(answer.body.toString()).toMatch(/^\{"a":"member 0 /);
  });

  it('say that they vary when they were long enough to', async () => {
    const server = await start();
    expect(headerOf(await rawGet(server, 'v3/sized/1024'), 'vary')).toBe('accept-encoding');
    expect(headerOf(await rawGet(server, 'v3/sized/1023'), 'vary')).toBeUndefined();
  });

  it('are made of short ones too where nothing else is taken', async () => {
    const answer = await rawGet(await start(), 'v3/sized/100', 'gzip, identity;q=0');
    expect(headerOf(answer, 'vary')).toBe('accept-encoding');
    expect(gunzipSync(answer.body).toString()).toBe(jsonOf(100));
  });

  it('have the same headers for HEAD, and no body', async () => {
    const server = await start();
    for (const bytes of [5_000, 100_000]) {
      const whole = await rawGet(server, `v3/sized/${bytes}`, 'br');
      const head = await rawGet(server, `v3/sized/${bytes}`, 'br', 'HEAD');
      for (const name of ['content-length', 'content-encoding', 'content-type', 'vary'])
        expect(headerOf(head, name)).toBe(headerOf(whole, name));
      expect(head.body.length).toBe(0);
    }
  });

  it('come in their order on one connection', async () => {
    const server = await start();
    const connection = open(server);
    const get = (bytes: number, more = ''): string =>
      `GET /_matrix/client/v3/sized/${bytes} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n${more}\r\n`;
    connection.send(get(3_000_000) + get(100) + get(40_000, 'Connection: close\r\n'));
    const text = await connection.ended();
    const encodings = [...text.matchAll(/content-length: (\d+)/gi)].map(([, length]) => Number(length));
    expect(encodings).toHaveLength(3);
    expect(encodings[0]).toBeGreaterThan(10_000);
    expect(encodings[1]).toBe(100);
  });

  it('are left when the client has gone, and nothing of it stays', async () => {
    const server = await start();
    const path = '/_matrix/client/v3/sized/8000000';
    for (let index = 0; index < 20; index++) {
      const connection = open(server);
      connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n`);
      connection.socket.once('connect', () => connection.socket.end());
      connection.socket.once('finish', () => connection.destroy());
    }
    // Those behind them are answered, and the connections are gone.
    expect((await fetch(`${server.url}${path}`)).status).toBe(200);
    expect(server.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('wait for each other only so long: beyond the queue they leave as they are', async () => {
    const server = await start();
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await fetch(`${server.url}/_matrix/client/v3/sized/300000`);
        return [response.headers.get('content-encoding'), (await response.text()) === jsonOf(300_000)] as const;
      }),
    );
    expect(answers.every(([, isWhole]) => isWhole)).toBe(true);
    expect(answers.some(([encoding]) => encoding !== null)).toBe(true);
  });
});
