import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { AddressRanges } from '../platform/address-ranges.ts';
import type { Timers } from '../platform/ports.ts';
import type { ListenerContext } from './exchange.ts';
import type { HttpLimits } from './http-limits.ts';
import type { HttpLog } from './http-log.ts';
import { answerBrokenRequest } from './listener-broken-request.ts';
import type { ServeGroup } from './serve-groups.ts';

/** One entry of `listeners` in the configuration, with the files of `tls` read. */
export interface ListenerOptions {
  /** An address; '::' takes IPv4 too. */
  readonly bind: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly serve: readonly ServeGroup[];
  /** PEM. */
  readonly tls?: { readonly certificate: string | Buffer; readonly privateKey: string | Buffer } | undefined;
  /** CIDR ranges. */
  readonly trustedProxies: readonly string[];
}

/** What listens hand their requests to: `App` of router.ts. */
export interface RequestHandler {
  readonly limits: HttpLimits;
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    listener: ListenerContext,
    expectsContinue?: boolean,
  ): void;
  beginClosing(): void;
}

export interface Listening {
  readonly bind: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly serve: readonly ServeGroup[];
}

export interface Listeners {
  readonly addresses: readonly Listening[];
  /**
   * Takes no further connection, lets requests in flight be answered, asks long polls to answer now, and after
   * `limits.closeGraceMs` cuts what is left. A second call waits for the same end.
   */
  close(): Promise<void>;
  /** Open connections of all listeners, idle ones included. */
  connectionCount(): Promise<number>;
}

/** Listens on every given address, or on none: rejects with the system's error when one cannot be had. */
export async function startListeners(
  options: readonly ListenerOptions[],
  app: RequestHandler,
  { timers, log }: { readonly timers: Timers; readonly log: HttpLog },
): Promise<Listeners> {
  const servers = options.map((listener) => buildServer(listener, app, log));
  const started = await Promise.allSettled(servers.map((server, index) => listen(server, options[index])));
  const failure = started.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await Promise.all(servers.map((server) => closeServer(server)));
    throw failure.reason;
  }
  const addresses = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  let closed: Promise<void> | undefined;
  return {
    addresses,
    close: () => (closed ??= closeAll(servers, app, timers)),
    connectionCount: async () =>
      (await Promise.all(servers.map(countConnections))).reduce((sum, count) => sum + count, 0),
  };
}

function buildServer(options: ListenerOptions, app: RequestHandler, log: HttpLog): Server {
  const context: ListenerContext = {
    serves: new Set(options.serve),
    trustedProxies: options.trustedProxies.length === 0 ? undefined : new AddressRanges(options.trustedProxies),
    isTls: options.tls !== undefined,
  };
  const { limits } = app;
  const settings = {
    keepAlive: true,
    noDelay: true,
    keepAliveTimeout: limits.keepAliveMs,
    headersTimeout: limits.requestHeadersMs,
    // No limit on the whole of a request: large uploads over slow lines are legitimate. See listener-idle.ts.
    requestTimeout: 0,
    maxHeaderSize: limits.requestHeaderBytesMax,
    connectionsCheckingInterval: Math.min(limits.requestHeadersMs, 5_000),
  };
  const server: Server =
    options.tls === undefined
      ? createHttpServer(settings)
      : createHttpsServer({
          ...settings,
          cert: options.tls.certificate,
          key: options.tls.privateKey,
          minVersion: 'TLSv1.2',
        });
  server.maxHeadersCount = limits.requestHeadersMax;
  server.maxConnections = limits.connectionsMax;
  server.on('request', (request, response) => app.handle(request, response, context));
  server.on('checkContinue', (request, response) => app.handle(request, response, context, true));
  server.on('clientError', (error: Error, socket: Socket) => {
    log.debug({ err: error, address: socket.remoteAddress }, 'a request could not be read');
    answerBrokenRequest(error, socket);
  });
  return server;
}

function listen(server: Server, options: ListenerOptions | undefined): Promise<Listening> {
  if (options === undefined) throw new RangeError('a server without options');
  const { bind, port, serve, tls } = options;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: bind, port }, () => {
      server.off('error', reject);
      resolve({ bind, port: (server.address() as AddressInfo).port, isTls: tls !== undefined, serve });
    });
  });
}

async function closeAll(servers: readonly Server[], app: RequestHandler, timers: Timers): Promise<void> {
  const closed = Promise.all(servers.map((server) => closeServer(server)));
  app.beginClosing();
  const deadline = timers.after(app.limits.closeGraceMs, () => {
    for (const server of servers) server.closeAllConnections();
  });
  await closed;
  deadline.cancel();
}

/** Resolves when the last connection has ended; idle ones are ended here. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

const countConnections = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
