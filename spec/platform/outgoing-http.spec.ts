import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type OutgoingPolicy, systemOutgoingHttp } from '../../src/platform/outgoing-http.ts';
import type { Dns, OutgoingHttp, OutgoingRequest } from '../../src/platform/ports.ts';
import { systemTimers } from '../../src/platform/timers.ts';

const tlsFolder = new URL('../fixtures/tls/', import.meta.url);
const ca = readFileSync(new URL('ca.pem', tlsFolder), 'utf8');
const certificate = {
  cert: readFileSync(new URL('localhost.pem', tlsFolder)),
  key: readFileSync(new URL('localhost.key', tlsFolder)),
};

const opened: Server[] = [];
const clients: { close(): void }[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(
    opened.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

async function listen(server: Server): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
const serve = (listener: RequestListener): Promise<number> => listen(createServer(listener));
const serveTls = (listener: RequestListener): Promise<number> => listen(createTlsServer(certificate, listener));

/** Names as a table. `asked` collects what was looked up. */
function dnsOf(table: Readonly<Record<string, readonly string[]>>, asked: string[] = []): Dns {
  return {
    lookup(host) {
      asked.push(host);
      const addresses = table[host];
      if (addresses === undefined) return Promise.reject(new Error('ENOTFOUND'));
      return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
    },
    srv: () => Promise.resolve([]),
  };
}

function client(options: { readonly policy?: Partial<OutgoingPolicy>; readonly dns?: Dns } = {}): OutgoingHttp {
  const closed: OutgoingPolicy = { allowPrivateAddresses: [], caCertificates: [], verifyTls: true };
  const policy = { ...closed, allowPrivateAddresses: ['127.0.0.0/8'], ...options.policy };
  const dns = options.dns ?? dnsOf({ localhost: ['127.0.0.1'], 'matrix.example.org': ['127.0.0.1'] });
  const http = systemOutgoingHttp({ general: policy, federation: closed }, { dns, timers: systemTimers });
  clients.push(http);
  return http;
}

const get = (url: string, more: Partial<OutgoingRequest> = {}): OutgoingRequest => ({
  method: 'GET',
  url,
  headers: {},
  timeoutMs: 30_000,
  responseBytesMax: 1_000,
  ...more,
});

describe('outgoing requests', () => {
  it('carry method, path, query, headers and body, and give status, headers and body', async () => {
    const port = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(201, {
          'X-Seen': `${request.method} ${request.url} ${request.headers['x-test']}`,
          'Set-Cookie': ['a', 'b'],
        });
        response.end(Buffer.concat(chunks));
      });
    });
    const response = await client().request({
      ...get(`http://localhost:${port}/a/b?c=d`, { headers: { 'X-Test': 'yes' } }),
      method: 'PUT',
      body: '{"ж":1}',
    });
    expect(response.status).toBe(201);
    expect(response.headers['x-seen']).toBe('PUT /a/b?c=d yes');
    expect(response.headers['set-cookie']).toBe('a, b');
    expect(response.body.toString()).toBe('{"ж":1}');
  });

  it('give an answer of 4xx and a redirect as responses', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/away') response.writeHead(302, { Location: '/elsewhere' }).end();
      else response.writeHead(404).end('{}');
    });
    const http = client();
    expect(await http.request(get(`http://localhost:${port}/away`))).toMatchObject({
      status: 302,
      headers: { location: '/elsewhere' },
    });
    expect(await http.request(get(`http://localhost:${port}/x`))).toMatchObject({ status: 404 });
  });

  it('use a connection again', async () => {
    let connections = 0;
    const server = createServer((_request, response) => response.end('ok'));
    server.on('connection', () => connections++);
    const port = await listen(server);
    const http = client();
    for (let i = 0; i < 3; i++) await http.request(get(`http://localhost:${port}/`));
    expect(connections).toBe(1);
  });

  it('are repeated on a new connection when the kept one had been closed, if that is harmless', async () => {
    const used = new Set<unknown>();
    let resets = 0;
    const port = await serve((request, response) => {
      if (used.has(request.socket)) {
        resets += 1;
        request.socket.resetAndDestroy();
      } else response.end('ok');
      used.add(request.socket);
    });
    const http = client();
    const request = get(`http://localhost:${port}/`);
    await http.request(request);
    expect((await http.request(request)).body.toString()).toBe('ok');
    expect(resets).toBe(1);
    await http.request(request);
    await expect(http.request({ ...request, method: 'POST', body: '' })).rejects.toMatchObject({
      failure: 'connection',
    });
    expect(resets).toBe(2);
  });

  it('connect where they are told, with the host header and the TLS name they are told', async () => {
    const port = await serveTls((request, response) => response.end(request.headers.host));
    const http = client({ policy: { caCertificates: [ca] }, dns: dnsOf({ 'somewhere.else': ['127.0.0.1'] }) });
    const response = await http.request(
      get('https://example.org/', {
        connect: { host: 'somewhere.else', port },
        servername: 'matrix.example.org',
        headers: { Host: 'example.org' },
      }),
    );
    expect(response.body.toString()).toBe('example.org');
  });

  it('refuse methods, headers and ports that cannot be sent', async () => {
    const port = await serve((_request, response) => response.end());
    const request = get(`http://localhost:${port}/`);
    for (const wrong of [
      { method: 'GET /' },
      { headers: { 'X-Test': 'a\r\nX-Injected: b' } },
      { headers: { 'X Test': 'a' } },
      { connect: { host: 'localhost', port: 70_000 } },
    ])
      await expect(client().request({ ...request, ...wrong })).rejects.toMatchObject({ failure: 'bad_request' });
  });

  it('refuse URLs that are not http or that carry a password', async () => {
    for (const url of ['ftp://localhost/', 'file:///etc/passwd', 'no url', 'http://user:secret@localhost/'])
      await expect(client().request(get(url))).rejects.toMatchObject({ failure: 'bad_request' });
  });
});

describe('TLS', () => {
  it('is trusted by the given authority, for the name and for an address', async () => {
    const port = await serveTls((_request, response) => response.end('secret'));
    const http = client({ policy: { caCertificates: [ca] } });
    for (const host of ['localhost', '127.0.0.1'])
      expect((await http.request(get(`https://${host}:${port}/`))).body.toString()).toBe('secret');
  });

  it('is refused without that authority and for another name', async () => {
    const port = await serveTls((_request, response) => response.end('secret'));
    await expect(client().request(get(`https://localhost:${port}/`))).rejects.toMatchObject({ failure: 'tls' });
    const http = client({ policy: { caCertificates: [ca] }, dns: dnsOf({ 'wrong.example': ['127.0.0.1'] }) });
    await expect(http.request(get(`https://wrong.example:${port}/`))).rejects.toMatchObject({ failure: 'tls' });
  });

  it('is not checked where the configuration says so', async () => {
    const port = await serveTls((_request, response) => response.end('ok'));
    const http = client({ policy: { verifyTls: false } });
    expect((await http.request(get(`https://localhost:${port}/`))).status).toBe(200);
  });
});

describe('limits', () => {
  it('end a response that is too long, announced or not', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/announced') response.writeHead(200, { 'Content-Length': '1001' }).end('x'.repeat(1_001));
      else {
        response.write('x'.repeat(600));
        response.end('x'.repeat(600));
      }
    });
    const http = client();
    await expect(http.request(get(`http://localhost:${port}/announced`))).rejects.toMatchObject({
      failure: 'too_large',
    });
    await expect(http.request(get(`http://localhost:${port}/streamed`))).rejects.toMatchObject({
      failure: 'too_large',
    });
    expect((await http.request(get(`http://localhost:${port}/x`, { responseBytesMax: 1_200 }))).body.length).toBe(
      1_200,
    );
  });

  it('let the caller take only the beginning of a response, or nothing, by what its headers say', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      const length = request.url === '/announced' ? { 'Content-Length': '500000' } : {};
      response.writeHead(200, { 'Content-Type': 'text/plain', ...length }).write('x'.repeat(400));
      // Never ended: the reader has to go.
      response.on('close', () => seen.push(request.url ?? ''));
      response.write('y'.repeat(400));
    });
    const http = client();
    const first = (bytes: number): Partial<OutgoingRequest> => ({
      bodyBytesWanted: ({ status, headers }) =>
        status === 200 && headers['content-type'] === 'text/plain' ? bytes : 0,
    });
    for (const path of ['/announced', '/streamed']) {
      const response = await http.request(get(`http://localhost:${port}${path}`, first(500)));
      expect(response.body.toString()).toBe('x'.repeat(400) + 'y'.repeat(100));
      expect((await http.request(get(`http://localhost:${port}${path}`, first(0)))).body).toHaveLength(0);
    }
    await expect.poll(() => seen.length).toBe(4);
  });

  it('hold for what the caller wants, too', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/announced') response.setHeader('Content-Length', 1_500);
      response.end('x'.repeat(1_500));
    });
    for (const path of ['/announced', '/streamed'])
      await expect(
        client().request(get(`http://localhost:${port}${path}`, { bodyBytesWanted: () => Infinity })),
      ).rejects.toMatchObject({ failure: 'too_large' });
  });

  it('end a request that is not answered, in total and when idle', async () => {
    const port = await serve(() => undefined);
    const url = `http://localhost:${port}/`;
    await expect(client().request(get(url, { timeoutMs: 30 }))).rejects.toMatchObject({
      failure: 'timeout',
      message: /within 30 ms/,
    });
    await expect(client().request(get(url, { idleTimeoutMs: 30 }))).rejects.toMatchObject({
      failure: 'timeout',
      message: /no byte/,
    });
  });

  it('count while the name is being resolved', async () => {
    const never: Dns = { lookup: () => new Promise(() => undefined), srv: () => Promise.resolve([]) };
    const request = client({ dns: never }).request(get('http://slow.example/', { timeoutMs: 20 }));
    await expect(request).rejects.toMatchObject({ failure: 'timeout' });
  });

  it('can be ended by the caller, before and meanwhile', async () => {
    const caller = new AbortController();
    const port = await serve(() => caller.abort());
    const http = client();
    await expect(http.request(get(`http://localhost:${port}/`, { signal: caller.signal }))).rejects.toMatchObject({
      failure: 'aborted',
    });
    await expect(http.request(get(`http://localhost:${port}/`, { signal: caller.signal }))).rejects.toMatchObject({
      failure: 'aborted',
    });
  });

  it('tell a broken connection and an unknown name apart', async () => {
    const port = await serve((request) => request.socket.destroy());
    await expect(client().request(get(`http://localhost:${port}/`))).rejects.toMatchObject({ failure: 'connection' });
    await expect(client().request(get('http://unknown.example/'))).rejects.toMatchObject({ failure: 'name' });
  });
});

describe('private addresses', () => {
  const reached: string[] = [];
  const start = (): Promise<number> =>
    serve((request, response) => {
      reached.push(request.url ?? '');
      response.end();
    });

  it.each([
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '10.0.0.1',
    '169.254.169.254',
    '2130706433',
    '0x7f000001',
    '127.1',
    '0177.0.0.1',
    '0x7f.1',
    '%31%32%37.0.0.1',
    '１２７.０.０.１',
    '0',
    '[::]',
    '[::ffff:7f00:1]',
    '[::7f00:1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fd00::1]',
  ])('are refused when written in the URL: %s', async (host) => {
    const port = await start();
    const http = client({ policy: { allowPrivateAddresses: [] } });
    await expect(http.request(get(`http://${host}:${port}/`))).rejects.toMatchObject({ failure: 'refused_address' });
    expect(reached).toEqual([]);
  });

  it('are refused when a name leads to them', async () => {
    const port = await start();
    const http = client({
      policy: { allowPrivateAddresses: [] },
      dns: dnsOf({ 'evil.example': ['127.0.0.1', '::ffff:7f00:1', 'fd00::1'] }),
    });
    await expect(http.request(get(`http://evil.example:${port}/`))).rejects.toMatchObject({
      failure: 'refused_address',
    });
    const connect = { host: 'evil.example', port };
    await expect(http.request(get('http://example.org/', { connect }))).rejects.toMatchObject({
      failure: 'refused_address',
    });
    expect(reached).toEqual([]);
  });

  it('are left out when a name also leads to one that is allowed, and the name is asked once', async () => {
    const port = await start();
    const asked: string[] = [];
    const dns = dnsOf({ 'both.example': ['10.0.0.1', '127.0.0.1'] }, asked);
    const http = client({ policy: { allowPrivateAddresses: ['127.0.0.1'] }, dns });
    expect((await http.request(get(`http://both.example:${port}/`))).status).toBe(200);
    expect(asked).toEqual(['both.example']);
  });

  it('may be public and blocked all the same', async () => {
    const port = await start();
    reached.length = 0;
    const http = client({
      policy: { blockedAddresses: ['198.51.100.0/24', '127.0.0.1'] },
      dns: dnsOf({ 'intranet.example': ['127.0.0.1'], 'other.example': ['127.0.0.2'] }),
    });
    for (const host of ['127.0.0.1', '[::ffff:7f00:1]', 'intranet.example', '198.51.100.7'])
      await expect(http.request(get(`http://${host}:${port}/`)), host).rejects.toMatchObject({
        failure: 'refused_address',
      });
    expect(reached).toEqual([]);
  });

  it('are allowed for each purpose by itself', async () => {
    const port = await start();
    const request = client().request(get(`http://localhost:${port}/`, { purpose: 'federation' }));
    await expect(request).rejects.toMatchObject({ failure: 'refused_address' });
  });
});
