/** Servers, connections and endpoints for the specs of listeners. */
import { readFileSync } from 'node:fs';
import { object, string } from '../../src/http/decode.ts';
import { defineEndpoint, type Endpoint } from '../../src/http/endpoint.ts';
import type { HttpLimits } from '../../src/http/http-limits.ts';
import type { ListenerOptions } from '../../src/http/listeners.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { openRawConnection, type RawConnection } from '../support/raw-connection.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { echoEndpoints, testAuthenticator } from './http-endpoints.ts';

/** What is undone after each test, the last first, where a file says so: `afterEach(closeAll)`. */
export const closing: (() => Promise<void> | void)[] = [];
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

/** Long polls that the test ends, and how their handlers' signals fared. */
export class Polls {
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

export const largeBytes = 128 * 1024 * 1024;
const large = Buffer.alloc(largeBytes, ' ');
export const largeEndpoint = defineEndpoint({
  operationId: 'large',
  method: 'GET',
  path: '/_matrix/client/v3/large',
  auth: 'none',
  rateLimit: 'none',
  params: {},
  query: {},
  handle: async () => ({ json: large }),
});
export const storeEndpoint = defineEndpoint({
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

export async function start(options: {
  endpoints?: readonly Endpoint<unknown>[];
  limits?: Partial<HttpLimits>;
  listener?: Partial<ListenerOptions>;
}): Promise<TestServer> {
  const server = await startTestServer({ endpoints: echoEndpoints, domain: {}, auth: testAuthenticator, ...options });
  closing.push(() => server.close());
  return server;
}
export function open(port: number, options?: { tls?: boolean; host?: string }): RawConnection {
  const connection = openRawConnection(port, options);
  closing.push(() => connection.destroy());
  return connection;
}
export const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: example.org\r\n${headers}\r\n`;
export const put = (length: number, body: string): string =>
  `PUT /_matrix/client/v3/store HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
export const jsonText = (length: number): string => JSON.stringify({ text: 'x'.repeat(length - '{"text":""}'.length) });

export const tls = {
  certificate: readFileSync(new URL('../fixtures/tls/localhost.pem', import.meta.url)),
  privateKey: readFileSync(new URL('../fixtures/tls/localhost.key', import.meta.url)),
};

/** Resolves when the server has no more than `left` connections. */
export async function serverCut(server: TestServer, left: number): Promise<void> {
  await until(async () => (await server.connectionCount()) <= left);
}
/** Polls, because nothing tells; fails by the test's own generous limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemTimers.sleep(10);
}
