import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ClientGone, ShuttingDown } from '../../src/http/exchange.ts';
import { startListeners, type ListenerOptions } from '../../src/http/listeners.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { lastStatus } from '../support/raw-connection.ts';
import type { TestServer } from '../support/test-server.ts';
import { closeAll, closing, Polls, storeEndpoint, start, open, get, put, tls, until } from './listener-fixtures.ts';

afterEach(closeAll);

describe('what is not a request that we read', () => {
  it('answers headers that are too long with 431', async () => {
    const server = await start({});
    const connection = open(server.port);
    connection.send(get('/_matrix/client/v3/failing', `X-Long: ${'x'.repeat(20_000)}\r\n`));
    const reply = await connection.ended();
    expect(lastStatus(reply)).toBe(431);
    expect(reply).toContain('M_TOO_LARGE');
  });

  it('answers too many headers with 431: the last ones, such as those of a proxy, are never left out unseen', async () => {
    const server = await start({ limits: { requestHeadersMax: 20 }, listener: { trustedProxies: ['127.0.0.0/8'] } });
    const answerTo = async (fillers: number): Promise<string> => {
      const connection = open(server.port);
      const filler = Array.from({ length: fillers }, (_, index) => `X-Filler-${index}: a\r\n`).join('');
      const own = 'Authorization: Bearer admin\r\nConnection: close\r\n';
      connection.send(get('/_synapse/admin/v1/echo', `${own}${filler}X-Forwarded-For: 192.0.2.9\r\n`));
      return connection.ended();
    };
    expect(await answerTo(16)).toContain('"address":"192.0.2.9"');
    expect(await answerTo(17)).toMatch(/^HTTP\/1.1 431 .*M_TOO_LARGE/s);
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

describe('connections', () => {
  it('are kept longer than proxies keep theirs', async () => {
    const server = await start({});
    const reply = await server.request('GET', '/_matrix/client/v3/nothing');
    expect(reply.headers.get('keep-alive')).toBe('timeout=75');
  });

  it('are as many as the limit says', async () => {
    const server = await start({ limits: { connectionsMax: 2 } });
    const connections = [open(server.port), open(server.port)];
    for (const connection of connections) {
      connection.send(get('/_matrix/client/v3/nothing'));
      await connection.until((text) => text.includes('M_UNRECOGNIZED'));
    }
    expect(await open(server.port).ended()).toBe('');
    connections[0]?.send(get('/_matrix/client/v3/nothing'));
    await connections[0]?.until((text) => text.split('M_UNRECOGNIZED').length === 3);
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
