import type { ServerResponse } from 'node:http';
import type { MatrixError } from '../matrix/errors.ts';
import { compressedBytesMin } from './compress-reply.ts';
import { corsHeadersAt, exposeRetryAfterAt, preflightHeadersAt } from './cors.ts';
import type { RawReply, Reply } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import { clearTransferIdle, limitTransferIdle } from './listener-idle.ts';
import { hasBody } from './read-body.ts';

export interface SendLimits {
  readonly transferIdleMs: number;
  readonly unwantedBodyBytesMax: number;
}
/** How replies leave: the limits, and whether the server is closing (then no connection is kept). */
export interface SendOptions {
  readonly limits: SendLimits;
  readonly isClosing: boolean;
}

/** Sends what a handler gave and returns the status. A client that has gone gets nothing. */
export function sendReply(exchange: Exchange, reply: Reply | RawReply, options: SendOptions): number {
  const status = reply.status ?? 200;
  if ('raw' in reply) send(exchange, status, pairs(reply.headers), reply.raw, options);
  else sendJson(exchange, status, reply.headers, reply.json, options);
  return status;
}

/** Sends the standard error response, with Retry-After where the error says when to come back. */
export function sendError(
  exchange: Exchange,
  error: MatrixError,
  options: SendOptions,
  headers?: Readonly<Record<string, string>>,
): void {
  const retryAfterMs = error.extra.retry_after_ms;
  if (typeof retryAfterMs !== 'number') return sendJson(exchange, error.status, headers, error.body(), options);
  const head = [
    ...jsonHead,
    'Retry-After',
    String(Math.ceil(retryAfterMs / 1000)),
    ...exposeRetryAfterAt(exchange.path),
  ];
  send(exchange, error.status, [...head, ...pairs(headers ?? {})], JSON.stringify(error.body()), options);
}

/** The answer to OPTIONS, wherever it goes: no logic runs, not even the look-up of the path. */
export function sendPreflight(exchange: Exchange, options: SendOptions, further: readonly string[] = []): void {
  const cors = exchange.isCors ? preflightHeadersAt(exchange.path) : [];
  send(exchange, 204, [...cors, ...further], '', options, false);
}

function sendJson(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string>> | undefined,
  json: Reply['json'],
  options: SendOptions,
): void {
  const body = typeof json === 'string' || Buffer.isBuffer(json) ? json : JSON.stringify(json);
  const head = headers === undefined ? jsonHead : withJsonHead(headers);
  // Whether or not this one is: a longer reply may be compressed for somebody else.
  const varies = body.length >= compressedBytesMin || headers?.['Content-Encoding'] !== undefined;
  send(exchange, status, varies ? [...head, 'Vary', 'Accept-Encoding'] : head, body, options);
}

/** No answer of the API may be kept by anything between us and the client, unless the endpoint says so. */
const jsonHead: readonly string[] = ['Content-Type', 'application/json', 'Cache-Control', 'no-store'];

function withJsonHead(headers: Readonly<Record<string, string>>): readonly string[] {
  const own = pairs(headers);
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  for (let index = 0; index < jsonHead.length; index += 2) {
    const [name, value] = [jsonHead[index], jsonHead[index + 1]];
    if (name !== undefined && value !== undefined && !names.has(name.toLowerCase())) own.push(name, value);
  }
  return own;
}

const pairs = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();

function send(
  exchange: Exchange,
  status: number,
  headers: readonly string[],
  body: string | Buffer,
  options: SendOptions,
  addCors = exchange.isCors,
): void {
  const { request, response } = exchange;
  if (response.destroyed || response.headersSent) return;
  const head = addCors ? headers.concat(corsHeadersAt(exchange.path)) : headers.slice();
  if (status !== 204) head.push('Content-Length', String(Buffer.byteLength(body)));
  const isSwamped = !request.complete && hasBody(exchange) && !isBodyShort(exchange, options.limits);
  if (isSwamped || options.isClosing) head.push('Connection', 'close');
  response.writeHead(status, head);
  if (isSwamped) endAfterBody(exchange, body, options.limits);
  else {
    if (exchange.listener.isTls && body.length > sliceBytes) endInSlices(response, asBytes(body));
    else response.end(body);
    // What the kernel did not take at once waits for the reader; the time limit ends with the response.
    if (request.socket.writableLength > 0) limitTransferIdle(request.socket, options.limits.transferIdleMs);
  }
}

/**
 * A plain socket says how much of a write the reader has taken; under TLS a write is all or nothing, and a slow reader of a
 * long answer would look like one who takes nothing.
 */
function endInSlices(response: ServerResponse, body: Buffer): void {
  let sent = 0;
  const proceed = (): void => {
    while (sent < body.length - sliceBytes) {
      const hasRoom = response.write(body.subarray(sent, (sent += sliceBytes)));
      if (!hasRoom) {
        response.once('drain', proceed);
        return;
      }
    }
    response.end(body.subarray(sent));
  };
  proceed();
}
const sliceBytes = 65_536;
const asBytes = (body: string | Buffer): Buffer => (typeof body === 'string' ? Buffer.from(body) : body);

/** Of a body whose announced length is bearable, Node reads and drops what nobody has read; the connection goes on. */
function isBodyShort({ request }: Exchange, limits: SendLimits): boolean {
  return Number(request.headers['content-length'] ?? Infinity) <= limits.unwantedBodyBytesMax;
}

/**
 * Closing a connection while the client still sends destroys the answer on its way. So the answer goes out whole, then
 * the rest of the body is read and thrown away up to a limit, then the connection closes.
 */
function endAfterBody({ request, response }: Exchange, body: string | Buffer, limits: SendLimits): void {
  response.write(body);
  limitTransferIdle(request.socket, limits.transferIdleMs);
  let leftBytes = limits.unwantedBodyBytesMax;
  const finish = (): void => {
    request.off('data', discard).off('end', finish).off('close', finish);
    clearTransferIdle(request.socket);
    response.end();
  };
  const discard = (chunk: Buffer): void => {
    leftBytes -= chunk.length;
    if (leftBytes < 0) finish();
  };
  request.on('error', () => undefined);
  request.on('data', discard).on('end', finish).on('close', finish);
  request.resume();
}
