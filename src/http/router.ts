import express from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MatrixError } from '../matrix/errors.ts';
import { withRequestId } from '../platform/log.ts';
import type { Clock } from '../platform/ports.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { ServerAuthenticator } from './auth/server-authenticator.ts';
import { ServerTurns } from './auth/server-turns.ts';
import { ReplyCompressor } from './compress-reply.ts';
import type { ContentReply, Endpoint, JsonPiecesReply, StreamReply } from './endpoint.ts';
import { internalError, shuttingDown, unrecognizedMethod, unrecognizedPath } from './errors.ts';
import { ClientGone, Exchange, ShuttingDown, type ListenerContext } from './exchange.ts';
import type { HttpLimits } from './http-limits.ts';
import type { HttpLog } from './http-log.ts';
import { malformedPath, PathTree } from './path-tree.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { ReceivedBytes } from './received-bytes.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { runEndpoint, type EndpointServices } from './run-endpoint.ts';
import { type SentContent, sendContent, sendStream } from './send-content.ts';
import { sendPieces } from './send-pieces.ts';
import { sendError, sendPreflight, sendReply } from './send-reply.ts';
import { isServed } from './serve-groups.ts';

export interface AppOptions<Domain> {
  readonly endpoints: readonly Endpoint<Domain>[];
  readonly domain: Domain;
  readonly auth: Authenticator;
  /** Absent: endpoints that need signed requests cannot be served. */
  readonly servers?: ServerAuthenticator | undefined;
  readonly log: HttpLog;
  readonly metrics: RequestMetrics;
  readonly limits: HttpLimits;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Begins every request id, so that ids of different runs differ. */
  readonly requestIdPrefix: string;
  readonly rateLimiter?: RateLimiter | undefined;
  /** What OPTIONS says at a path, beside who may call: names and values in turn. */
  readonly optionsHeaders?: (path: string) => readonly string[];
  /** operationIds answered by the table in front of express. */
  readonly hotOperations?: ReadonlySet<string>;
}

/** The operations that make up most of the traffic. */
export const hotOperations: ReadonlySet<string> = new Set([
  'createRoom',
  'joinRoom',
  'joinRoomById',
  'sendMessage',
  'sync',
  'slidingSync',
  'slidingSyncUnstable',
  'setTyping',
  'postReceipt',
  'setReadMarker',
  'setRoomStateWithKey',
  'sendToDevice',
  'uploadKeys',
  'queryKeys',
  'claimKeys',
  'getRoomEvents',
  'getPresence',
  'setPresence',
  'sendTransaction',
]);

/**
 * Answers requests by the given endpoints: a static table for the hot ones, express for all others, one pipeline behind both
 * (run-endpoint.ts). Throws Error when two endpoints answer the same method and path, or one needs what is not there.
 */
export function createApp<Domain>(options: AppOptions<Domain>): App<Domain> {
  return new App(options);
}

/** An endpoint at one of its paths. */
interface Route<Domain> {
  readonly endpoint: Endpoint<Domain>;
  readonly path: string;
  readonly parameterNames: readonly string[];
}

export class App<Domain> {
  /** Requests whose handlers wait for something. */
  readonly waiting = new Set<Exchange>();
  readonly limits: HttpLimits;
  readonly #options: AppOptions<Domain>;
  readonly #services: EndpointServices<Domain>;
  readonly #hot = new PathTree<Route<Domain>>();
  readonly #all = new PathTree<Route<Domain>>();
  /** Express tries its routes one after another, so each area of paths has an application of its own, built when it is first asked. */
  readonly #areas = new Map<string, express.Express>();
  readonly #routes: ReadonlyMap<string, readonly Route<Domain>[]>;
  readonly #compressor = new ReplyCompressor();
  #isClosing = false;
  #requestCount = 0;

  constructor(options: AppOptions<Domain>) {
    this.#options = options;
    const { limits } = options;
    const receivedBytes = new ReceivedBytes({
      // Never less than one whole body of the largest kind that everybody may send.
      perCallerMax: Math.max(limits.receivedBytesPerCallerMax, limits.requestBodyBytesMax),
      inAllMax: Math.max(limits.receivedBytesMax, limits.requestBodyBytesMax),
    });
    const { federationRequestsPerServerMax: turns } = limits;
    this.#services = {
      ...options,
      servers: options.servers,
      serverTurns: new ServerTurns(turns, turns * 4),
      rateLimiter: options.rateLimiter,
      receivedBytes,
    };
    this.limits = options.limits;
    const routes = options.endpoints.flatMap((endpoint) => routesOf(endpoint, options.servers !== undefined));
    const hot = options.hotOperations ?? hotOperations;
    for (const route of routes) {
      this.#all.add(route.endpoint.method, route.path, route);
      if (hot.has(route.endpoint.operationId)) this.#hot.add(route.endpoint.method, route.path, route);
    }
    this.#routes = Map.groupBy(routes, ({ path }) => areaOf(path));
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** From now on connections end with their response, and what waits is asked to answer now. */
  beginClosing(): void {
    this.#isClosing = true;
    for (const exchange of this.waiting) exchange.shutDown();
  }

  /** Answers one request. Never throws and never rejects. */
  handle(request: CarryingRequest, response: ServerResponse, listener: ListenerContext, expectsContinue = false): void {
    const exchange = new Exchange(request, response, listener, {
      requestId: `${this.#options.requestIdPrefix}-${(this.#requestCount++).toString(36)}`,
      startedMs: this.#options.clock.monotonicMs(),
      waitingRequests: this,
    });
    exchange.expectsContinue = expectsContinue;
    if (request.method === 'OPTIONS') {
      sendPreflight(exchange, this.#sendOptions, this.#options.optionsHeaders?.(exchange.path));
      return this.#answered(exchange, 'preflight', 204);
    }
    if (!isServed(exchange.path, listener.serves)) return this.#fail(exchange, undefined, unrecognizedPath());
    let found;
    try {
      found = this.#hot.find(request.method ?? 'GET', exchange.path);
    } catch (error) {
      return this.#fail(exchange, undefined, error);
    }
    if (found !== undefined) {
      const { parameterNames, endpoint } = found.value;
      const parameters: Record<string, string | undefined> = {};
      for (let index = 0; index < parameterNames.length; index++)
        parameters[parameterNames[index] ?? ''] = found.parameters[index];
      this.#start(endpoint, exchange, parameters);
      return;
    }
    request[exchangeKey] = exchange;
    this.#expressOf(areaOf(exchange.path))(request, response);
  }

  #start(
    endpoint: Endpoint<Domain>,
    exchange: Exchange,
    parameters: Readonly<Record<string, string | undefined>>,
  ): void {
    withRequestId(exchange.requestId, () => void this.#run(endpoint, exchange, parameters));
  }

  async #run(
    endpoint: Endpoint<Domain>,
    exchange: Exchange,
    parameters: Readonly<Record<string, string | undefined>>,
  ): Promise<void> {
    try {
      const given = await runEndpoint(endpoint, exchange, parameters, this.#services);
      if ('content' in given || 'stream' in given || 'jsonPieces' in given) {
        const { status, sent } = await this.#begin(exchange, given);
        this.#answered(exchange, endpoint.operationId, status);
        await this.#untilSent(exchange, endpoint, sent);
        return;
      }
      const compressed = this.#compressor.compress(exchange, endpoint, given);
      const reply = compressed instanceof Promise ? await compressed : compressed;
      this.#answered(exchange, endpoint.operationId, sendReply(exchange, reply, this.#sendOptions));
    } catch (error) {
      this.#fail(exchange, endpoint, error);
    }
  }

  /** Begins to send what is too large to be sent at once. */
  #begin(exchange: Exchange, given: ContentReply | StreamReply | JsonPiecesReply): Promise<SentContent> {
    if ('content' in given) return sendContent(exchange, given, this.#sendOptions);
    if ('stream' in given) return sendStream(exchange, given, this.#sendOptions);
    return sendPieces(exchange, given, this.#sendOptions);
  }

  /** The answer has begun, so a failure can only cut it short, which the stream has done. */
  async #untilSent(exchange: Exchange, endpoint: Endpoint<Domain>, sent: Promise<void>): Promise<void> {
    const { requestId } = exchange;
    const { operationId } = endpoint;
    await sent.catch((error: unknown) => {
      const isGone = error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
      const level = isGone ? 'debug' : 'error';
      this.#options.log[level]({ requestId, operationId, err: error }, 'an answer could not be sent to its end');
    });
  }

  get #sendOptions(): { limits: HttpLimits; isClosing: boolean } {
    return { limits: this.limits, isClosing: this.#isClosing };
  }

  #expressOf(area: string): express.Express {
    const routes = this.#routes.get(area);
    const key = routes === undefined ? elsewhere : area;
    const known = this.#areas.get(key);
    if (known !== undefined) return known;
    const built = this.#buildExpress(routes ?? []);
    this.#areas.set(key, built);
    return built;
  }

  /** Express only finds the endpoint; everything else is done by the same code as for the hot ones. */
  #buildExpress(routes: readonly Route<Domain>[]): express.Express {
    const app = express();
    app.disable('x-powered-by').disable('etag').set('query parser', false).enable('case sensitive routing');
    for (const { endpoint, path } of routes.toSorted(literalsFirst)) {
      const method = endpoint.method.toLowerCase() as Lowercase<typeof endpoint.method>;
      app[method](expressPath(path), (request: CarryingRequest & { params: Record<string, string> }) => {
        const exchange = request[exchangeKey];
        if (exchange !== undefined) this.#start(endpoint, exchange, request.params);
      });
    }
    app.use((request: CarryingRequest) => {
      const exchange = request[exchangeKey];
      if (exchange === undefined) return;
      const methods = this.#all.methodsAt(exchange.path);
      if (methods.length === 0) this.#fail(exchange, undefined, unrecognizedPath());
      else this.#fail(exchange, undefined, unrecognizedMethod(), { Allow: [...methods, 'OPTIONS'].join(', ') });
    });
    app.use((error: unknown, request: CarryingRequest, _response: unknown, _next: unknown) => {
      const exchange = request[exchangeKey];
      // Handlers answer their own errors, so what arrives here is the router's: a parameter that it cannot decode.
      const isUndecodable = error instanceof URIError;
      if (exchange !== undefined) this.#fail(exchange, undefined, isUndecodable ? malformedPath() : error);
    });
    return app;
  }

  #fail(
    exchange: Exchange,
    endpoint: Endpoint<Domain> | undefined,
    error: unknown,
    headers?: Readonly<Record<string, string>>,
  ): void {
    const operationId = endpoint?.operationId ?? 'unrecognized';
    if (error instanceof ClientGone) {
      const fields = { requestId: exchange.requestId, operationId };
      return this.#options.log.debug(fields, 'the client went before it was answered');
    }
    const answer = withFields(errorToSend(error, exchange), endpoint);
    if (answer.status === 500)
      this.#options.log.error({ requestId: exchange.requestId, operationId, err: error }, 'request failed');
    sendError(exchange, answer, this.#sendOptions, headers);
    this.#answered(exchange, operationId, answer.status);
  }

  #answered(exchange: Exchange, operationId: string, status: number): void {
    const durationMs = this.#options.clock.monotonicMs() - exchange.startedMs;
    this.#options.metrics.requestAnswered(operationId, status, durationMs);
    const isSlow = durationMs > this.limits.slowRequestMs && !exchange.isWaiting && !exchange.isTransfer;
    const { log } = this.#options;
    const level = isSlow || isFailure(status) ? 'info' : 'debug';
    // The fields cost more than the rest of the bookkeeping, so they are only made when somebody reads them.
    if (!log.isLevelEnabled(level)) return;
    const { requestId, address, request } = exchange;
    const fields = {
      requestId,
      operationId,
      method: request.method,
      status,
      durationMs: Math.round(durationMs),
      address,
    };
    log[level](fields, isSlow ? 'slow request' : 'request');
  }
}

/** Not found, not logged in and too many requests are everyday answers; they would fill the log and say nothing. */
const isFailure = (status: number): boolean => status >= 400 && status !== 401 && status !== 404 && status !== 429;

function errorToSend(error: unknown, exchange: Exchange): MatrixError {
  if (error instanceof MatrixError) return error;
  return error instanceof ShuttingDown ? shuttingDown() : internalError(exchange.requestId);
}

function withFields<Domain>(error: MatrixError, endpoint: Endpoint<Domain> | undefined): MatrixError {
  if (endpoint?.errorFields === undefined) return error;
  return new MatrixError(error.status, error.errcode, error.message, {
    ...error.extra,
    ...endpoint.errorFields(error),
  });
}

function routesOf<Domain>(endpoint: Endpoint<Domain>, verifiesServers: boolean): Route<Domain>[] {
  if (endpoint.auth === 'serverSignature' && (!verifiesServers || endpoint.streamsBody === true))
    throw new Error(`${endpoint.operationId} needs whole requests and somebody who verifies their signatures`);
  const paths = [endpoint.path, ...(endpoint.alsoAt ?? [])].flatMap(withOldName);
  const unfit = paths.find((path) => areaOf(path).includes('{'));
  if (unfit !== undefined) throw new Error(`${unfit} has a parameter among its first four segments`);
  return paths.map((path) => ({
    endpoint,
    path,
    parameterNames: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''),
  }));
}

/** Before v1.1 of the specification the paths of v3 were those of r0, and programs of that time still ask there. */
function withOldName(path: string): readonly string[] {
  const [, api, rest] = /^\/_matrix\/(client|media)\/v3\/(.*)$/.exec(path) ?? [];
  return rest === undefined ? [path] : [path, `/_matrix/${api}/r0/${rest}`];
}

/** The first four segments of a path, such as /_matrix/client/v3/rooms: in the specification, parameters come later. */
function areaOf(path: string): string {
  let end = 0;
  for (let segment = 0; segment < 4 && end !== -1; segment++) end = path.indexOf('/', end + 1);
  const area = end === -1 ? path : path.slice(0, end);
  return area.length > 1 && area.endsWith('/') ? area.slice(0, -1) : area;
}

/** Express takes the first route that matches, so a literal segment must come before a parameter in its place. */
function literalsFirst(a: { readonly path: string }, b: { readonly path: string }): number {
  const [left, right] = [kindsOf(a.path), kindsOf(b.path)];
  return left < right ? -1 : left > right ? 1 : 0;
}
const kindsOf = (template: string): string =>
  template
    .split('/')
    .map((segment) => (segment.startsWith('{') ? 1 : 0))
    .join('');

/** Routes are not strict, so a template's own trailing slash would only be asked for twice. */
const expressPath = (template: string): string =>
  (template.length > 1 ? template.replace(/\/$/, '') : template).replaceAll(/\{(\w+)\}/g, ':$1');

/** Where nothing is served; no area, because those begin with a slash. */
const elsewhere = '';

const exchangeKey: unique symbol = Symbol('exchange');
/** Express hands on nothing but request and response, so the request carries our view of it. */
interface CarryingRequest extends IncomingMessage {
  [exchangeKey]?: Exchange;
}
