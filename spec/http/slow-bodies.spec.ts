import { afterEach, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../src/http/auth/authenticator.ts';
import { json } from '../../src/http/decode.ts';
import { defineEndpoint } from '../../src/http/endpoint.ts';
import { ReceivedBytes } from '../../src/http/received-bytes.ts';
import { MatrixError } from '../../src/matrix/errors.ts';
import { openRawConnection } from '../support/raw-connection.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { alice } from './http-endpoints.ts';

const endpointOf = (auth: 'none' | 'accessToken' | 'optionalAccessToken', done: () => void = () => undefined) =>
  defineEndpoint({
    operationId: auth,
    method: 'POST',
    path: `/_matrix/client/v3/${auth}`,
    auth,
    rateLimit: 'none',
    params: {},
    query: {},
    body: json(),
    handle: async () => {
      done();
      return { json: {} };
    },
  });

describe('bodies', () => {
  let server: TestServer | undefined;
  afterEach(async () => server?.close());

  it('that end after the session has ended are for nothing', async () => {
    let isLoggedOut = false;
    let handled = 0;
    const authenticated = Promise.withResolvers<void>();
    const auth: Authenticator = {
      authenticate: async () => {
        if (isLoggedOut) throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'unknown');
        authenticated.resolve();
        return alice;
      },
      isCurrent: () => false,
    };
    server = await startTestServer({ endpoints: [endpointOf('accessToken', () => handled++)], domain: {}, auth });
    const connection = openRawConnection(server.port);
    const head = 'POST /_matrix/client/v3/accessToken HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n';
    connection.send(`${head}Connection: close\r\nContent-Length: 2\r\n\r\n{`);
    await authenticated.promise;
    isLoggedOut = true;
    connection.send('}');
    expect(await connection.ended()).toContain('M_UNKNOWN_TOKEN');
    expect(handled).toBe(0);
  });

  it('of people without an account are short', async () => {
    server = await startTestServer({
      endpoints: [endpointOf('none'), endpointOf('optionalAccessToken'), endpointOf('accessToken')],
      domain: {},
      auth: { authenticate: async () => alice, isCurrent: () => false },
      limits: { unauthenticatedBodyBytesMax: 100 },
    });
    const statusOf = async (path: string, length: number, token?: string): Promise<number> => {
      const rawBody = JSON.stringify('x'.repeat(length - 2));
      const given = token === undefined ? { rawBody } : { rawBody, token };
      return (await server?.request('POST', `/_matrix/client/v3/${path}`, given))?.status ?? 0;
    };
    expect([await statusOf('none', 100), await statusOf('none', 101)]).toEqual([200, 413]);
    expect([await statusOf('optionalAccessToken', 100), await statusOf('optionalAccessToken', 101)]).toEqual([
      200, 413,
    ]);
    expect(await statusOf('optionalAccessToken', 101, 'a')).toBe(200);
    expect(await statusOf('accessToken', 101, 'a')).toBe(200);
  });

  it('that are being received are bounded together, per user and per address', async () => {
    const requestBodyBytesMax = 1_000;
    server = await startTestServer({
      endpoints: [endpointOf('none'), endpointOf('accessToken')],
      domain: {},
      auth: { authenticate: async () => alice, isCurrent: () => false },
      limits: { requestBodyBytesMax, receivedBytesPerCallerMax: 1_500, receivedBytesMax: 10_000 },
    });
    const { port } = server;
    const begin = (path: string, sent: number) => {
      const connection = openRawConnection(port);
      const head = `POST /_matrix/client/v3/${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nConnection: close\r\n`;
      connection.send(`${head}Content-Length: 1000\r\n\r\n"${'x'.repeat(sent - 1)}`);
      return { connection, finish: () => connection.send(`${'x'.repeat(999 - sent)}"`) };
    };
    const first = begin('accessToken', 900);
    const second = begin('accessToken', 900);
    // One of the two fits with what the other has sent, whichever came first.
    const refused = await Promise.race(
      [first, second].map(async (one) => [one, await one.connection.ended()] as const),
    );
    expect(refused[1]).toContain('429');
    expect(refused[1]).toContain('M_LIMIT_EXCEEDED');
    // Somebody else is not held up.
    const stranger = begin('none', 900);
    stranger.finish();
    expect(await stranger.connection.ended()).toContain('200 OK');
    const left = refused[0] === first ? second : first;
    left.finish();
    expect(await left.connection.ended()).toContain('200 OK');
    // What has ended counts no more.
    const next = begin('accessToken', 900);
    next.finish();
    expect(await next.connection.ended()).toContain('200 OK');
  });

  it('of a client that goes count no more', async () => {
    const counted = new ReceivedBytes({ perCallerMax: 100, inAllMax: 150 });
    const [a, b] = [counted.begin('a'), counted.begin('b')];
    a.add(100);
    expect(() => a.add(1)).toThrow('Too many requests');
    expect(() => b.add(51)).toThrow('Too many requests');
    b.add(50);
    expect(counted.bytes).toBe(150);
    a.end();
    b.end();
    expect(counted.bytes).toBe(0);
  });
});
