/**
 * A server for specs: the given endpoints on a free loopback port, and a small JSON client for it.
 */
import type { Authenticator } from '../../src/http/auth/authenticator.ts';
import type { ServerAuthenticator } from '../../src/http/auth/server-authenticator.ts';
import type { Endpoint } from '../../src/http/endpoint.ts';
import type { HttpLimits } from '../../src/http/http-limits.ts';
import type { HttpLog } from '../../src/http/http-log.ts';
import { startListeners, type ListenerOptions } from '../../src/http/listeners.ts';
import type { RateLimiter } from '../../src/http/rate-limiter.ts';
import type { RequestMetrics } from '../../src/http/request-metrics.ts';
import { createApp, type App } from '../../src/http/router.ts';
import { MatrixError } from '../../src/matrix/errors.ts';
import type { JsonObject, JsonValue } from '../../src/matrix/json/json-value.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Ports } from '../../src/platform/ports.ts';
import { systemTimers } from '../../src/platform/timers.ts';

export interface TestServerOptions<Domain> {
  readonly endpoints: readonly Endpoint<Domain>[];
  readonly domain: Domain;
  /** Absent: every token is unknown. */
  readonly auth?: Authenticator;
  /** Absent: no endpoint may need signed requests. */
  readonly servers?: ServerAuthenticator;
  readonly limits?: Partial<HttpLimits>;
  readonly rateLimiter?: RateLimiter;
  readonly hotOperations?: ReadonlySet<string>;
  readonly listener?: Partial<ListenerOptions>;
  /** Told of answered requests beside `answered`. */
  readonly metrics?: RequestMetrics;
  /** Absent: real time. */
  readonly ports?: Pick<Ports, 'clock' | 'timers'>;
}

export interface TestRequest {
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly body?: JsonValue;
  /** Sent as it is, instead of `body`. */
  readonly rawBody?: string | Buffer;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}
export interface TestResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; {} when it is no JSON object. */
  readonly json: JsonObject;
  readonly text: string;
}

/** One answered request, as the log and the metrics saw it. */
export interface AnsweredRequest {
  readonly operationId: string;
  readonly status: number;
}
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export interface TestServer {
  readonly app: Pick<App<never>, 'waiting' | 'beginClosing' | 'isClosing' | 'handle' | 'limits'>;
  /** http://127.0.0.1:port, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly answered: readonly AnsweredRequest[];
  readonly logged: readonly LogLine[];
  /** Open connections, idle ones included. */
  connectionCount(): Promise<number>;
  /** `path` goes out as it is, escapes included. */
  request(method: string, path: string, request?: TestRequest): Promise<TestResponse>;
  close(): Promise<void>;
}

export async function startTestServer<Domain>(options: TestServerOptions<Domain>): Promise<TestServer> {
  const answered: AnsweredRequest[] = [];
  const logged: LogLine[] = [];
  const log = collectingLog(logged);
  const { clock, timers } = options.ports ?? { clock: systemClock, timers: systemTimers };
  const app = createApp({
    endpoints: options.endpoints,
    domain: options.domain,
    auth: options.auth ?? noTokens,
    servers: options.servers,
    log,
    metrics: {
      requestAnswered(operationId, status, durationMs) {
        answered.push({ operationId, status });
        options.metrics?.requestAnswered(operationId, status, durationMs);
      },
    },
    limits: { ...testLimits, ...options.limits },
    clock,
    requestIdPrefix: 'test',
    rateLimiter: options.rateLimiter,
    ...(options.hotOperations === undefined ? {} : { hotOperations: options.hotOperations }),
  });
  const listener: ListenerOptions = {
    bind: '127.0.0.1',
    port: 0,
    serve: ['client', 'media', 'federation', 'admin', 'health', 'metrics'],
    trustedProxies: [],
    ...options.listener,
  };
  const listeners = await startListeners([listener], app, { timers, log });
  const port = listeners.addresses[0]?.port ?? 0;
  const url = `${listener.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return {
    app,
    url,
    port,
    answered,
    logged,
    request: (method, path, request) => requestJson(url, method, path, request),
    connectionCount: () => listeners.connectionCount(),
    close: () => listeners.close(),
  };
}

export const testLimits: HttpLimits = {
  requestBodyBytesMax: 1024 * 1024,
  unauthenticatedBodyBytesMax: 1024 * 1024,
  federationBodyBytesMax: 16 * 1024 * 1024,
  federationRequestsPerServerMax: 32,
  receivedBytesPerCallerMax: 16 * 1024 * 1024,
  receivedBytesMax: 256 * 1024 * 1024,
  jsonDepthMax: 100,
  transferIdleMs: 30_000,
  unwantedBodyBytesMax: 16 * 1024 * 1024,
  requestHeadersMs: 30_000,
  requestHeaderBytesMax: 16 * 1024,
  requestHeadersMax: 100,
  connectionsMax: 1_000,
  keepAliveMs: 75_000,
  slowRequestMs: 5_000,
  closeGraceMs: 4_000,
};

/** One request to any server. */
export async function requestJson(
  url: string,
  method: string,
  path: string,
  request: TestRequest = {},
): Promise<TestResponse> {
  const body = request.rawBody ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
  const response = await fetch(url + path + queryText(path, request.query), {
    method,
    headers: {
      ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    },
    redirect: 'manual',
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: jsonObjectOf(text) };
}

function queryText(path: string, query: TestRequest['query']): string {
  if (query === undefined) return '';
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of typeof value === 'object' ? value : [value]) search.append(name, String(one));
  return (path.includes('?') ? '&' : '?') + search.toString();
}

function jsonObjectOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}

const noTokens: Authenticator = {
  authenticate: () => Promise.reject(new MatrixError(401, 'M_UNKNOWN_TOKEN', 'Unknown access token')),
  isCurrent: () => false,
};

function collectingLog(lines: LogLine[]): HttpLog {
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { isLevelEnabled: () => true, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
