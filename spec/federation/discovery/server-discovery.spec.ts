/** https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names */
import { describe, expect, it } from 'vitest';
import { ServerDiscovery } from '../../../src/federation/discovery/server-discovery.ts';
import { inSrvOrder } from '../../../src/federation/discovery/srv-order.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { OutgoingHttpError } from '../../../src/platform/outgoing-http-error.ts';
import type { OutgoingRequest, OutgoingResponse } from '../../../src/platform/ports.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';
import { seededRandom, testEpochMs, testPorts } from '../../support/test-ports.ts';

type Srv = { readonly name: string; readonly port: number; readonly priority?: number; readonly weight?: number };
interface Given {
  /** By URL; undefined: no answer. */
  readonly pages?: (url: string, request: OutgoingRequest) => Partial<OutgoingResponse> | undefined;
  readonly srv?: Readonly<Record<string, readonly Srv[] | Error>>;
}

function discovery({ pages = () => ({ status: 404 }), srv = {} }: Given) {
  const asked: string[] = [];
  const ports = testPorts(1, {
    http: {
      async request(request) {
        asked.push(request.url);
        expect(request.purpose).toBe('federation');
        const response = pages(request.url, request);
        if (response === undefined) throw new OutgoingHttpError('connection', 'nobody');
        return { status: 200, headers: {}, body: Buffer.alloc(0), ...response };
      },
    },
    dns: {
      lookup: () => Promise.reject(new Error('addresses are looked up by whoever connects')),
      async srv(name) {
        asked.push(name);
        const records = srv[name] ?? [];
        if (records instanceof Error) throw records;
        return records.map((record) => ({ priority: 0, weight: 0, ...record }));
      },
    },
  });
  const found = new ServerDiscovery(ports);
  return {
    ports,
    asked,
    find: (name: string) => found.find(name as ServerName),
    doubt: (name: string) => found.doubt(name as ServerName),
    /** host:port, Host header and name of the certificate of the first place. */
    async first(name: string) {
      const [{ host, port, hostHeader, certificateName }] = await found.find(name as ServerName);
      return [`${host.includes(':') ? `[${host}]` : host}:${port}`, hostHeader, certificateName];
    },
  };
}
const wellKnown = (server: unknown, headers: Record<string, string> = {}): Partial<OutgoingResponse> => ({
  body: Buffer.from(JSON.stringify({ 'm.server': server })),
  headers,
});

describeShared('the cases of gomatrixserverlib', () => {
  interface Case {
    readonly server_name: string;
    readonly well_known: Record<string, string> | null;
    readonly srv: { readonly target: string; readonly port: number } | null;
    readonly destination: string;
    readonly host_header: string;
    readonly tls_server_name: string;
  }
  const { cases } = loadFixture<{ readonly cases: readonly Case[] }>('server-discovery/gomatrixserverlib.json');

  it.each(cases.map((one, index) => [`${index} ${one.server_name}`, one] as const))('%s', async (_title, one) => {
    const { first } = discovery({
      pages: () => (one.well_known === null ? { status: 404 } : { body: Buffer.from(JSON.stringify(one.well_known)) }),
      srv: new Proxy({}, { get: () => (one.srv === null ? [] : [{ name: one.srv.target, port: one.srv.port }]) }),
    });
    expect(await first(one.server_name)).toEqual([one.destination, one.host_header, one.tls_server_name]);
  });
});

describe('ServerDiscovery', () => {
  it('asks nobody about addresses and explicit ports', async () => {
    const { first, asked } = discovery({});
    expect(await first('1.2.3.4')).toEqual(['1.2.3.4:8448', '1.2.3.4', '1.2.3.4']);
    expect(await first('[::1]:99')).toEqual(['[::1]:99', '[::1]:99', '::1']);
    expect(await first('a.example:1')).toEqual(['a.example:1', 'a.example:1', 'a.example']);
    expect(asked).toEqual([]);
  });

  it('prefers the registered service to the old one, whose name is asked for only then', async () => {
    const both = discovery({
      srv: {
        '_matrix-fed._tcp.a.example': [{ name: 'new.', port: 1 }],
        '_matrix._tcp.a.example': [{ name: 'old', port: 2 }],
      },
    });
    expect(await both.first('a.example')).toEqual(['new:1', 'a.example', 'a.example']);
    expect(both.asked).toEqual(['https://a.example/.well-known/matrix/server', '_matrix-fed._tcp.a.example']);
    const old = discovery({ srv: { '_matrix._tcp.a.example': [{ name: 'old', port: 2 }] } });
    expect(await old.first('a.example')).toEqual(['old:2', 'a.example', 'a.example']);
    const none = discovery({ srv: { '_matrix-fed._tcp.a.example': [{ name: '.', port: 0 }] } });
    expect(await none.first('a.example')).toEqual(['a.example:8448', 'a.example', 'a.example']);
    const broken = discovery({ srv: { '_matrix-fed._tcp.a.example': new Error('SERVFAIL') } });
    expect(await broken.first('a.example')).toEqual(['a.example:8448', 'a.example', 'a.example']);
  });

  it('names several places in the order of their priorities, few of very many', async () => {
    const records = [
      { name: 'third', port: 3, priority: 30 },
      { name: 'first', port: 1, priority: 10 },
      { name: 'second', port: 2, priority: 20 },
      ...Array.from({ length: 50 }, (_, index) => ({ name: `n${index}`, port: 4, priority: 40 })),
    ];
    const { find } = discovery({ srv: { '_matrix-fed._tcp.a.example': records } });
    expect((await find('a.example')).map(({ host }) => host).slice(0, 3)).toEqual(['first', 'second', 'third']);
    expect(await find('a.example')).toHaveLength(4);
  });

  it('shares the load by weight', () => {
    const random = seededRandom(7);
    const at = (name: string, weight: number) => ({ name, port: 1, priority: 0, weight });
    const firsts = Array.from(
      { length: 4_000 },
      () => inSrvOrder([at('a', 30), at('b', 10), at('c', 0)], random)[0]?.name,
    );
    const count = (name: string): number => firsts.filter((one) => one === name).length;
    expect(count('a') / count('b')).toBeGreaterThan(2.5);
    expect(count('a') / count('b')).toBeLessThan(3.5);
    expect(count('c')).toBeGreaterThan(0);
    expect(count('c')).toBeLessThan(300);
  });

  it('follows a few redirects, to https only', async () => {
    const chain = (length: number) =>
      discovery({
        pages: (url) => {
          const step = Number(/step(\d+)/.exec(url)?.[1] ?? 0);
          return step < length ? { status: 302, headers: { location: `/step${step + 1}` } } : wellKnown('b.example:5');
        },
      });
    expect(await chain(5).first('a.example')).toEqual(['b.example:5', 'b.example:5', 'b.example']);
    const endless = chain(Infinity);
    expect(await endless.first('a.example')).toEqual(['a.example:8448', 'a.example', 'a.example']);
    expect(endless.asked.filter((one) => one.startsWith('https:'))).toHaveLength(6);
    const insecure = discovery({
      pages: (url) =>
        url.startsWith('http:')
          ? wellKnown('evil.example')
          : { status: 301, headers: { location: 'http://a.example/x' } },
    });
    expect(await insecure.first('a.example')).toEqual(['a.example:8448', 'a.example', 'a.example']);
  });

  it.each<[string, Partial<OutgoingResponse> | undefined]>([
    ['no answer', undefined],
    ['an error', { ...wellKnown('b.example'), status: 500 }],
    ['no JSON', { body: Buffer.from('<html>') }],
    ['another type', wellKnown(5)],
    ['no server name', wellKnown('https://b.example')],
    ['an empty one', wellKnown('')],
    ['a list', { body: Buffer.from('[]') }],
  ])('passes over a file with %s', async (_title, response) => {
    const { first } = discovery({ pages: () => response });
    expect(await first('a.example')).toEqual(['a.example:8448', 'a.example', 'a.example']);
  });

  it.each<[string, Record<string, string>, number]>([
    ['a day without a word', {}, 86_400_000],
    ['as long as max-age says', { 'cache-control': 'public, max-age=7200' }, 7_200_000],
    ['until it expires', { expires: new Date(testEpochMs + 3_600_000).toUTCString() }, 3_600_000],
    ['by max-age rather than Expires', { 'cache-control': 'max-age=600', expires: '0' }, 600_000],
    ['two days at most', { 'cache-control': 'max-age=9999999' }, 172_800_000],
    ['five minutes at least', { 'cache-control': 'no-store' }, 300_000],
    ['five minutes where it has expired already', { expires: '0' }, 300_000],
  ])('keeps a file for %s', async (_title, headers, keptMs) => {
    let server = 'b.example:1';
    const { first, ports } = discovery({ pages: () => wellKnown(server, headers) });
    expect((await first('a.example'))[0]).toBe('b.example:1');
    server = 'c.example:2';
    await ports.advance(keptMs - 1);
    expect((await first('a.example'))[0]).toBe('b.example:1');
    await ports.advance(1);
    expect((await first('a.example'))[0]).toBe('c.example:2');
  });

  it('waits longer after each error, up to an hour, and asks once however many wait', async () => {
    const { find, asked, ports } = discovery({ pages: () => undefined });
    const times = (): number => asked.filter((one) => one.startsWith('https:')).length;
    await Promise.all(Array.from({ length: 10 }, () => find('a.example')));
    expect(times()).toBe(1);
    for (const [afterMs, count] of [
      [59_999, 1],
      [1, 2],
      [119_999, 2],
      [1, 3],
    ] as const) {
      await ports.advance(afterMs);
      await find('A.example');
      expect(times()).toBe(count);
    }
    for (let hour = 0; hour < 30; hour++) {
      await ports.advance(3_600_000);
      await find('a.example');
    }
    expect(times()).toBeGreaterThanOrEqual(30);
  });

  it('asks again for what could not be found out, as soon as it proves wrong', async () => {
    let page: Partial<OutgoingResponse> = { status: 503 };
    const srv: Record<string, readonly Srv[] | Error> = {
      '_matrix-fed._tcp.b.example': new Error('no name server answers'),
    };
    const { first, doubt, asked } = discovery({ pages: () => page, srv });
    expect((await first('a.example'))[0]).toBe('a.example:8448');
    page = wellKnown('b.example');
    expect((await first('a.example'))[0]).toBe('a.example:8448');
    doubt('a.example');
    expect((await first('a.example'))[0]).toBe('b.example:8448');
    srv['_matrix-fed._tcp.b.example'] = [{ name: 'c.example', port: 1 }];
    expect((await first('a.example'))[0]).toBe('b.example:8448');
    doubt('a.example');
    expect((await first('a.example'))[0]).toBe('c.example:1');
    const { length } = asked;
    doubt('a.example');
    expect((await first('a.example'))[0]).toBe('c.example:1');
    expect(asked).toHaveLength(length);
  });

  it('holds to what was valid while the host is in trouble, and not when the file is gone', async () => {
    let page: Partial<OutgoingResponse> | undefined = wellKnown('b.example:1', { 'cache-control': 'max-age=600' });
    const { first, ports } = discovery({ pages: () => page });
    await first('a.example');
    page = { status: 503 };
    await ports.advance(600_000);
    expect((await first('a.example'))[0]).toBe('b.example:1');
    page = { status: 404 };
    await ports.advance(3_600_000);
    expect((await first('a.example'))[0]).toBe('a.example:8448');
  });
});
