import type { ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { giveBack } from '../platform/transfer-memory.ts';
import { wantedRange } from './byte-range.ts';
import { corsHeadersAt } from './cors.ts';
import type { ContentReply, StreamReply } from './endpoint.ts';
import { isNamedIn, isRangeAllowed } from './entity-tag.ts';
import type { Exchange } from './exchange.ts';
import { limitTransferIdle } from './listener-idle.ts';
import { type SendOptions, sendReply } from './send-reply.ts';

export interface SentContent {
  readonly status: number;
  /** Resolves when all of it is sent. Rejects when the client went before, or the content could not be read. */
  readonly sent: Promise<void>;
}

/**
 * Sends a content, or what the conditions and the range of the request leave of it, no faster than it is taken. Rejects with what
 * opening it throws; then nothing was sent.
 */
export async function sendContent(
  exchange: Exchange,
  { headers, content }: ContentReply,
  options: SendOptions,
): Promise<SentContent> {
  const { request, response } = exchange;
  const tag = `"${content.etag}"`;
  const given = [...Object.entries(headers).flat(), 'ETag', tag];
  exchange.isTransfer = true;
  if (isNamedIn(exchange.header('if-none-match'), tag)) {
    writeHead(exchange, 304, given, options);
    response.end();
    return { status: 304, sent: done };
  }
  const isHead = request.method === 'HEAD';
  const mayBePart = !isHead && isRangeAllowed(exchange.header('if-range'), tag);
  const range = mayBePart ? wantedRange(exchange.header('range'), content.sizeBytes) : undefined;
  if (range === 'unsatisfiable') return { status: sendUnsatisfiable(exchange, content.sizeBytes, options), sent: done };
  const status = range === undefined ? 200 : 206;
  const lengthBytes = range === undefined ? content.sizeBytes : range.end - range.start;
  const head = [...given, 'Accept-Ranges', 'bytes', 'Content-Length', String(lengthBytes)];
  if (range !== undefined) head.push('Content-Range', `bytes ${range.start}-${range.end - 1}/${content.sizeBytes}`);
  if (isHead || lengthBytes === 0) {
    writeHead(exchange, status, head, options);
    response.end();
    return { status, sent: done };
  }
  const stream = await content.open(range);
  if (response.destroyed) {
    stream.destroy();
    return { status, sent: done };
  }
  writeHead(exchange, status, head, options);
  limitTransferIdle(request.socket, options.limits.transferIdleMs);
  return { status, sent: pipeline(stream, sendingTo(response)) };
}

/** Sends a stream, no faster than it is taken. Rejects with what opening it throws; then nothing was sent. */
export async function sendStream(
  exchange: Exchange,
  { headers, stream }: StreamReply,
  options: SendOptions,
): Promise<SentContent> {
  const { request, response } = exchange;
  exchange.isTransfer = true;
  const head = Object.entries(headers).flat();
  if (stream.lengthBytes !== undefined) head.push('Content-Length', String(stream.lengthBytes));
  if (request.method === 'HEAD') {
    writeHead(exchange, 200, head, options);
    response.end();
    return { status: 200, sent: done };
  }
  const source = Readable.from(await stream.open());
  if (response.destroyed) {
    source.destroy();
    return { status: 200, sent: done };
  }
  writeHead(exchange, 200, head, options);
  limitTransferIdle(request.socket, options.limits.transferIdleMs);
  return { status: 200, sent: pipeline(source, sendingTo(response)) };
}

const done = Promise.resolve();

/** Gives the memory of each piece back when the piece is sent. Destroyed without a reason when the client goes. */
function sendingTo(response: ServerResponse): Writable {
  const sending = new Writable({
    write(piece: Buffer, _encoding, done) {
      response.write(piece, (error) => {
        giveBack(piece);
        if (error) sending.destroy();
        else done();
      });
    },
    final(done) {
      response.end(done);
    },
    destroy(error, done) {
      if (!response.writableFinished) response.destroy();
      done(error);
    },
  });
  response.once('close', () => sending.destroy());
  return sending;
}

function sendUnsatisfiable(exchange: Exchange, sizeBytes: number, options: SendOptions): number {
  const reply = {
    status: 416,
    headers: { 'Content-Range': `bytes */${sizeBytes}` },
    json: { errcode: 'M_UNKNOWN', error: `The content has ${sizeBytes} bytes: the range is beyond them` },
  };
  return sendReply(exchange, reply, options);
}

function writeHead(exchange: Exchange, status: number, headers: readonly string[], options: SendOptions): void {
  const { response } = exchange;
  if (response.destroyed || response.headersSent) return;
  const head = exchange.isCors ? headers.concat(corsHeadersAt(exchange.path)) : headers.slice();
  if (options.isClosing) head.push('Connection', 'close');
  response.writeHead(status, head);
}
