import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { object, string } from '../../src/http/decode.ts';
import { defineEndpoint, type Endpoint } from '../../src/http/endpoint.ts';
import { ClientGone, ShuttingDown } from '../../src/http/exchange.ts';
import type { HttpLimits } from '../../src/http/http-limits.ts';
import { startListeners, type ListenerOptions } from '../../src/http/listeners.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { lastStatus, openRawConnection, type RawConnection } from '../support/raw-connection.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { echoEndpoints, testAuthenticator } from './http-endpoints.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Long polls that the test ends, and how their handlers' signals fared. */
class Polls {
  readonly reasons: unknown[] = [];
  readonly #started = new Gate();
  readonly #released = new Gate();
  started = (): Promise<void> => this.#started.opened;
  release(): void {
    this.#released.open();
  }
  readonly endpoint = defineEndpoint({
    operationId: 'poll',
    method: 'GET',
    path: '/_matrix/client/v3/poll',
    auth: 'none',
    rateLimit: 'none',
    params: {},
    query: {},
    handle: async ({ signal }) => {
      const aborted = new Promise<void>((resolve) => {
        const onAbort = (): void => {
          this.reasons.push(signal.reason);
          resolve();
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort);
      });
      this.#started.open();
      await Promise.race([aborted, this.#released.opened]);
      return { json: { ended: signal.aborted ? 'aborted' : 'released' } };
    },
  });
}
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

const largeBytes = 48 * 1024 * 1024;
const large = Buffer.alloc(largeBytes, ' ');
const largeEndpoint = defineEndpoint({
  operationId: 'large',
  method: 'GET',
  path: '/_matrix/client/v3/large',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async () => ({ json: large }),
});
const storeEndpoint = defineEndpoint({
  operationId: 'store',
  method: 'PUT',
  path: '/_matrix/client/v3/store',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  body: object({ text: string() }),
  handle: async ({ body }) => ({ json: { length: body.text.length } }),
});

async function start(options: {
  endpoints?: readonly Endpoint<unknown>[];
  limits?: Partial<HttpLimits>;
  listener?: Partial<ListenerOptions>;
}): Promise<TestServer> {
  const server = await startTestServer({ endpoints: echoEndpoints, domain: {}, auth: testAuthenticator, ...options });
  closing.push(() => server.close());
  return server;
}
function open(port: number, options?: { tls?: boolean; host?: string }): RawConnection {
  const connection = openRawConnection(port, options);
  closing.push(() => connection.destroy());
  return connection;
}
const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: example.org\r\n${headers}\r\n`;
const put = (length: number, body: string): string =>
  `PUT /_matrix/client/v3/store HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
const jsonText = (length: number): string => JSON.stringify({ text: 'x'.repeat(length - '{"text":""}'.length) });

const tls = {
  certificate: readFileSync(new URL('../fixtures/tls/localhost.pem', import.meta.url)),
  privateKey: readFileSync(new URL('../fixtures/tls/localhost.key', import.meta.url)),
};

describe('what is not a request that we read', () => {
  it('answers headers that are too long with 431', async () => {
    const server = await start({});
    const connection = open(server.port);
    connection.send(get('/_matrix/client/v3/failing', `X-Long: ${'x'.repeat(20_000)}\r\n`));
    const reply = await connection.ended();
    expect(lastStatus(reply)).toBe(431);
    expect(reply).toContain('M_TOO_LARGE');
  });

  it('answers what is not HTTP with 400', async () => {
    const server = await start({});
    const connection = open(server.port);
    connection.send('\x16\x03\x01hello\r\n\r\n');
    expect(lastStatus(await connection.ended())).toBe(400);
  });

  it('ends a connection whose headers do not end in time, and one that says nothing', async () => {
    const server = await start({ limits: { requestHeadersMs: 300 } });
    const [slow, silent] = [open(server.port), open(server.port)];
    slow.send('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    const drip = setInterval(() => slow.send('x'), 20);
    closing.push(() => clearInterval(drip));
    expect(lastStatus(await slow.ended())).toBe(408);
    await silent.ended();
    expect((await server.request('GET', '/_matrix/client/v3/nothing')).status).toBe(404);
  });

  it('refuses a request without Host, with two lengths, and with both framings', async () => {
    const server = await start({});
    for (const headers of [
      'X: y\r\n',
      'Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n',
      'Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    ]) {
      const connection = open(server.port);
      connection.send(`PUT /_matrix/client/v3/store HTTP/1.1\r\n${headers}\r\n`);
      expect(lastStatus(await connection.ended())).toBe(400);
    }
  });
});

describe.each([
  ['plain', undefined],
  ['TLS', tls],
])('transfers over %s connections', (_title, tlsOptions) => {
  const isTls = tlsOptions !== undefined;
  it('cuts a sender that sends nothing, not one that sends slowly, and not a parked long poll', async () => {
    const polls = new Polls();
    const limits = { transferIdleMs: 1_000 };
    const endpoints = [polls.endpoint, storeEndpoint];
    const server = await start({ endpoints, limits, listener: { tls: tlsOptions } });
    const poll = open(server.port, { tls: isTls });
    poll.send(get('/_matrix/client/v3/poll'));
    await polls.started();

    const [slow, stalled] = [open(server.port, { tls: isTls }), open(server.port, { tls: isTls })];
    const body = jsonText(100_000);
    let sent = 0;
    slow.send(put(body.length, ''));
    // Slow, but never silent for the whole of the limit; begun before the stalled one, so longer than the limit.
    const drip = setInterval(() => slow.send(body[sent++] ?? ''), 20);
    closing.push(() => clearInterval(drip));
    stalled.send(put(body.length, body.slice(0, 10)));
    expect(await stalled.ended()).toBe('');

    clearInterval(drip);
    slow.send(body.slice(sent));
    expect(await slow.until((text) => text.includes('length"'))).toContain('{"length":99989}');
    polls.release();
    expect(await poll.until((text) => text.includes('ended'))).toContain('released');
  });

  it('cuts a reader that takes nothing, not one that takes slowly', async () => {
    const limits = { transferIdleMs: 1_000 };
    const server = await start({ endpoints: [largeEndpoint], limits, listener: { tls: tlsOptions } });
    const [slow, stalled] = [open(server.port, { tls: isTls }), open(server.port, { tls: isTls })];
    let taken = 0;
    slow.socket.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      slow.socket.pause();
    });
    slow.send(get('/_matrix/client/v3/large'));
    const sip = setInterval(() => slow.socket.resume(), 10);
    closing.push(() => clearInterval(sip));
    stalled.socket.pause();
    stalled.send(get('/_matrix/client/v3/large'));
    await serverCut(server, 1);

    clearInterval(sip);
    slow.socket.on('data', () => slow.socket.resume());
    slow.socket.resume();
    await until(() => taken >= largeBytes);
    expect(lastStatus(slow.received())).toBe(200);
  });
});

/** Resolves when the server has no more than `left` connections. */
async function serverCut(server: TestServer, left: number): Promise<void> {
  await until(async () => (await server.connectionCount()) <= left);
}
/** Polls, because nothing tells; fails by the test's own generous limit. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemTimers.sleep(10);
}

describe('bodies that are not wanted', () => {
  it('answers before the body has come, reads the rest of it, and keeps the connection', async () => {
    const server = await start({ endpoints: [storeEndpoint], limits: { requestBodyBytesMax: 1_000 } });
    const connection = open(server.port);
    connection.send(put(1_000_000, 'x'.repeat(100)));
    expect(lastStatus(await connection.until((text) => text.includes('M_TOO_LARGE')))).toBe(413);
    connection.send('x'.repeat(999_900) + put(13, '{"text":"hi"}'));
    expect(lastStatus(await connection.until((text) => text.includes('length"')))).toBe(200);
  });

  it('stops a chunked body as soon as it is too long, reads the rest, and closes', async () => {
    const server = await start({ endpoints: [storeEndpoint], limits: { requestBodyBytesMax: 1_000 } });
    const connection = open(server.port);
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
    connection.send('PUT /_matrix/client/v3/store HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    connection.send(chunk);
    const reply = await connection.until((text) => text.includes('M_TOO_LARGE'));
    expect(lastStatus(reply)).toBe(413);
    expect(reply).toContain('Connection: close');
    connection.send(`${chunk.repeat(1_000)}0\r\n\r\n`);
    await connection.ended();
  });

  it('cuts a connection that goes on sending beyond what is read and thrown away', async () => {
    const limits = { requestBodyBytesMax: 1_000, unwantedBodyBytesMax: 100_000 };
    const server = await start({ endpoints: [storeEndpoint], limits });
    const connection = open(server.port);
    connection.send(put(1_000_000_000, ''));
    await connection.until((text) => text.includes('M_TOO_LARGE'));
    const flood = setInterval(() => connection.send('x'.repeat(50_000)), 1);
    closing.push(() => clearInterval(flood));
    await connection.ended();
  });

  it('does not ask for the body of a request that it refuses', async () => {
    const server = await start({});
    const expecting = (token: string): string =>
      'PUT /_matrix/client/v3/rooms/!a:b/send/m.room.message/1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n' +
      `Authorization: Bearer ${token}\r\nContent-Length: 13\r\n\r\n`;
    const refused = open(server.port);
    refused.send(expecting('mallory'));
    const reply = await refused.until((text) => text.includes('M_UNKNOWN_TOKEN'));
    expect(reply).not.toContain('100 Continue');
    const welcome = open(server.port);
    welcome.send(expecting('alice'));
    await welcome.until((text) => text.includes('HTTP/1.1 100 Continue'));
    welcome.send('{"body":"hi"}');
    expect(lastStatus(await welcome.until((text) => text.includes('sender')))).toBe(200);
  });

  it('keeps a connection whose unwanted body has come', async () => {
    const server = await start({});
    const connection = open(server.port);
    connection.send('GET /_matrix/client/v3/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    await connection.until((text) => text.includes('M_UNRECOGNIZED'));
    connection.send('OPTIONS /_matrix/client/v3/nothing HTTP/1.1\r\nHost: a\r\n\r\n');
    await connection.until((text) => text.includes('HTTP/1.1 204'));
  });
});

describe('clients that go', () => {
  it('aborts the signal of a long poll', async () => {
    const polls = new Polls();
    const server = await start({ endpoints: [polls.endpoint] });
    const connection = open(server.port);
    connection.send(get('/_matrix/client/v3/poll'));
    await polls.started();
    connection.destroy();
    await until(() => polls.reasons.length === 1);
    expect(polls.reasons[0]).toBeInstanceOf(ClientGone);
    expect(server.app.waiting.size).toBe(0);
  });

  it('never handles a request whose body did not come', async () => {
    const server = await start({ endpoints: [storeEndpoint] });
    const connection = open(server.port);
    connection.send(put(100, '{"text"'));
    await until(async () => (await server.connectionCount()) === 1);
    connection.destroy();
    await until(() => server.logged.some(({ message }) => message.startsWith('the client went')));
    expect(server.answered).toEqual([]);
  });
});

describe('closing', () => {
  it('answers what is in flight and parked long polls, and takes nothing more', async () => {
    const polls = new Polls();
    const server = await start({ endpoints: [polls.endpoint, storeEndpoint] });
    const [parked, uploading, idle] = [open(server.port), open(server.port), open(server.port)];
    idle.send(get('/_matrix/client/v3/nothing'));
    await idle.until((text) => text.includes('M_UNRECOGNIZED'));
    parked.send(get('/_matrix/client/v3/poll'));
    await polls.started();
    uploading.send(put(100, '{"text":'));
    await until(async () => (await server.connectionCount()) === 3);

    const closed = server.close();
    const answer = await parked.ended();
    expect(answer).toContain('aborted');
    expect(answer).toContain('Connection: close');
    expect(polls.reasons[0]).toBeInstanceOf(ShuttingDown);
    await idle.ended();
    uploading.send(`"${'x'.repeat(89)}"}`);
    expect(lastStatus(await uploading.ended())).toBe(200);
    await closed;
    await expect(server.request('GET', '/_matrix/client/v3/nothing')).rejects.toThrow('fetch failed');
  });

  it('cuts what does not end within the grace', async () => {
    const server = await start({ endpoints: [storeEndpoint], limits: { closeGraceMs: 50 } });
    const stuck = open(server.port);
    stuck.send(put(100, '{"text":'));
    await until(async () => (await server.connectionCount()) === 1);
    await server.close();
    await stuck.ended();
  });

  it('does not begin to wait while it closes', async () => {
    const polls = new Polls();
    const server = await start({ endpoints: [polls.endpoint] });
    server.app.beginClosing();
    const reply = await server.request('GET', '/_matrix/client/v3/poll');
    expect([reply.status, reply.headers.get('connection')]).toEqual([200, 'close']);
  });
});

describe('listening', () => {
  it('serves only the groups of the listener', async () => {
    const server = await start({ listener: { serve: ['media', 'health'] } });
    const reply = await server.request('PUT', '/_matrix/client/v3/profile/@a:b/displayname', { body: {} });
    expect([reply.status, reply.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
  });

  it("takes IPv4 and IPv6 when bound to '::'", async (context) => {
    const server = await start({ listener: { bind: '::' } }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EAFNOSUPPORT' && error.code !== 'EADDRNOTAVAIL') throw error;
      return context.skip('this machine has no IPv6');
    });
    for (const host of ['127.0.0.1', '::1']) {
      const connection = open(server.port, { host });
      connection.send(get('/_matrix/client/v3/nothing'));
      await connection.until((text) => text.includes('M_UNRECOGNIZED'));
    }
  });

  it('listens on all addresses or on none', async () => {
    const server = await start({});
    const listener: ListenerOptions = { bind: '127.0.0.1', port: 0, serve: ['client'], trustedProxies: [] };
    const free = await startListeners([listener], server.app, { timers: systemTimers, log: silent });
    const freed = free.addresses[0]?.port ?? 0;
    await free.close();
    const both = startListeners(
      [
        { ...listener, port: freed },
        { ...listener, port: server.port },
      ],
      server.app,
      {
        timers: systemTimers,
        log: silent,
      },
    );
    await expect(both).rejects.toThrow('EADDRINUSE');
    await expect(
      new Promise((resolve, reject) => {
        connectTcp(freed, '127.0.0.1').on('connect', resolve).on('error', reject);
      }),
    ).rejects.toThrow('ECONNREFUSED');
  });

  it('takes the address and the scheme from trusted proxies alone', async () => {
    const seen = async (server: TestServer, headers: Record<string, string>): Promise<unknown[]> => {
      const { json } = await server.request('GET', '/_synapse/admin/v1/echo', { token: 'admin', headers });
      return [json.address, typeof json.origin === 'string' ? json.origin.split(':')[0] : undefined];
    };
    const forwarded = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7, 10.0.0.3', 'x-forwarded-proto': 'https' };
    expect(await seen(await start({}), forwarded)).toEqual(['127.0.0.1', 'http']);
    const strangers = await start({ listener: { trustedProxies: ['192.0.2.0/24'] } });
    expect(await seen(strangers, forwarded)).toEqual(['127.0.0.1', 'http']);
    const trusted = await start({ listener: { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] } });
    expect(await seen(trusted, forwarded)).toEqual(['198.51.100.7', 'https']);
    expect(await seen(trusted, {})).toEqual(['127.0.0.1', 'http']);
    expect(await seen(trusted, { 'x-forwarded-for': 'unknown' })).toEqual(['127.0.0.1', 'http']);
    expect(await seen(trusted, { 'x-forwarded-for': '[2001:db8::1]:4711' })).toEqual(['2001:db8::1', 'http']);
    expect(await seen(trusted, { 'x-forwarded-for': '10.1.1.1', 'x-forwarded-proto': 'ftp' })).toEqual([
      '10.1.1.1',
      'http',
    ]);
  });

  it('serves TLS', async () => {
    const server = await start({ listener: { tls } });
    const connection = open(server.port, { tls: true });
    connection.send(get('/_synapse/admin/v1/echo?access_token=admin'));
    expect(await connection.until((text) => text.includes('origin'))).toContain('"origin":"https://example.org"');
  });
});

const silent = {
  isLevelEnabled: () => false,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
