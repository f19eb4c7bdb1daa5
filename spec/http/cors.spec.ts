import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineEndpoint } from '../../src/http/endpoint.ts';
import { wellKnownEndpoints } from '../../src/http/well-known/index.ts';
import { lastStatus, openRawConnection } from '../support/raw-connection.ts';
import { startTestServer, type TestResponse, type TestServer } from '../support/test-server.ts';
import { echoEndpoints, testAuthenticator } from './http-endpoints.ts';

const raw = defineEndpoint({
  operationId: 'raw',
  method: 'GET',
  path: '/_matrix/media/v3/raw',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async () => ({ headers: { 'Content-Type': 'image/png' }, raw: Buffer.from('png') }),
});
const wellKnown = {
  homeserverBaseUrl: 'https://matrix.example.org',
  federationDelegate: undefined,
  support: { contacts: [], supportPage: undefined },
  policyServerKeys: {},
  rtcFoci: [],
};

let server: TestServer;
beforeAll(async () => {
  const endpoints = [...echoEndpoints, raw, ...wellKnownEndpoints];
  server = await startTestServer({ endpoints, domain: { wellKnown }, auth: testAuthenticator });
});
afterAll(() => server.close());

const isMedia = (path: string): boolean => path.includes('/media/');

function expectCors({ headers }: TestResponse, path = ''): void {
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(headers.get('access-control-allow-methods')).toBe(
    isMedia(path) ? 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' : 'GET, POST, PUT, DELETE, OPTIONS',
  );
  const allowed = headers.get('access-control-allow-headers');
  expect(allowed).toMatch(/^X-Requested-With, Content-Type, Authorization/);
  const further = 'Range, If-Range, If-None-Match, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset'.split(
    ', ',
  );
  expect(further.filter((name) => (allowed ?? '').split(', ').includes(name))).toEqual(isMedia(path) ? further : []);
}

const send = '/_matrix/client/v3/rooms/!a:b/send/m.room.message/1';
const paths = [
  send,
  '/_matrix/client/v3/failing',
  '/_matrix/client/v3/nothing',
  '/_matrix/client/v3/rooms/%FF/send/m.room.message/1',
  '/_matrix/client/v1/media/download/a/b',
  '/_matrix/media/v3/raw',
  '/_matrix/media/v3/nothing',
  '/_matrix/nothing',
  '/_synapse/admin/v1/echo',
  '/.well-known/matrix/client',
  '/.well-known/matrix/server',
  '/.well-known/matrix/support',
  '/.well-known/matrix/policy_server',
  '/.well-known/matrix/nothing',
];

describe('requests from pages of other origins', () => {
  it.each(paths)('answers OPTIONS %s without running anything', async (path) => {
    const before = server.answered.length;
    const reply = await server.request('OPTIONS', path, {
      headers: { origin: 'https://app.example', 'access-control-request-method': 'PUT' },
    });
    expect([reply.status, reply.text]).toEqual([204, '']);
    expectCors(reply, path);
    expect(reply.headers.get('access-control-max-age')).toBe('86400');
    expect(server.answered.slice(before)).toEqual([{ operationId: 'preflight', status: 204 }]);
  });

  it.each(paths)('sends the headers with every answer of %s', async (path) => {
    for (const method of ['GET', 'PUT', 'PATCH']) expectCors(await server.request(method, path), path);
  });

  it('lets pages see what is said of files in headers', async () => {
    const { headers } = await server.request('GET', '/_matrix/media/v3/raw');
    const exposed = headers.get('access-control-expose-headers')?.split(', ');
    const needed = ['Location', 'Upload-Offset', 'Upload-Length', 'Tus-Resumable', 'Tus-Version', 'Tus-Extension'];
    expect(exposed).toEqual(
      expect.arrayContaining([...needed, 'Tus-Max-Size', 'ETag', 'Content-Range', 'Retry-After']),
    );
  });

  it('sends them with errors of every kind', async () => {
    expectCors(await server.request('PUT', send));
    expectCors(await server.request('PUT', send, { token: 'mallory' }));
    expectCors(await server.request('PUT', send, { token: 'alice', rawBody: 'no' }));
    expectCors(await server.request('PUT', send, { token: 'alice', rawBody: ' '.repeat(2 * 1024 * 1024) }));
    expectCors(await server.request('GET', '/_matrix/client/v3/failing'));
  });

  it('does not read the body of OPTIONS, and keeps the connection', async () => {
    const connection = openRawConnection(server.port);
    connection.send(`OPTIONS ${send} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n`);
    await connection.until((text) => lastStatus(text) === 204);
    connection.send(`{"a}OPTIONS ${send} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await connection.until((text) => text.split('HTTP/1.1 204').length === 3);
    connection.destroy();
  });

  it('opens nothing but the API: no start page, no health', async () => {
    for (const path of ['/', '/health', '/metrics']) {
      expect((await server.request('GET', path)).headers.get('access-control-allow-origin')).toBeNull();
      expect((await server.request('OPTIONS', path)).headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
