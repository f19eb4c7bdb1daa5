/** Requests that reach a server's handlers without sockets, through Node's own requests and responses. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { ListenerContext } from '../../../src/http/exchange.ts';
import type { ListenerOptions, Listeners, RequestHandler } from '../../../src/http/listeners.ts';

export interface DirectRequest {
  readonly method: string;
  /** Path and query. */
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}
export interface DirectResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export class DirectListener {
  #app: RequestHandler | undefined;
  #context: ListenerContext | undefined;

  /** In place of `startListeners`. */
  readonly start = async (options: readonly ListenerOptions[], app: RequestHandler): Promise<Listeners> => {
    const serves = new Set(options.flatMap(({ serve }) => serve));
    this.#app = app;
    this.#context = { serves, trustedProxies: undefined, isTls: true };
    return {
      addresses: [],
      close: async () => app.beginClosing(),
      connectionCount: async () => 0,
    };
  };

  handle({ method, uri, headers, body = '' }: DirectRequest): Promise<DirectResponse> {
    if (this.#app === undefined || this.#context === undefined) throw new Error('the server does not listen');
    const socket = new MemorySocket();
    const request = new IncomingMessage(socket);
    request.method = method;
    request.url = uri;
    request.httpVersion = '1.1';
    [request.httpVersionMajor, request.httpVersionMinor] = [1, 1];
    const bytes = Buffer.from(body);
    const all = { ...headers, ...(bytes.length === 0 ? {} : { 'content-length': String(bytes.length) }) };
    request.headers = all;
    request.headersDistinct = Object.fromEntries(Object.entries(all).map(([key, value]) => [key, [value]]));
    if (bytes.length > 0) request.push(bytes);
    request.push(null);
    request.complete = true;
    const response = new ServerResponse(request);
    response.sendDate = false;
    response.assignSocket(socket);
    const answered = new Promise<DirectResponse>((resolve, reject) => {
      response.on('finish', () => {
        response.detachSocket(socket);
        response.emit('close');
        try {
          resolve(parseResponse(Buffer.concat(socket.written)));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    this.#app.handle(request, response, this.#context);
    return answered;
  }
}

/** It keeps what is written, and no time. */
class MemorySocket extends Socket {
  readonly written: Buffer[] = [];
  override readonly remoteAddress = '192.0.2.1';

  override setTimeout(): this {
    return this;
  }
  override _read(): void {}
  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.written.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    done();
  }
  override _writev(chunks: readonly { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    for (const { chunk, encoding } of chunks)
      this.written.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    done();
  }
}

function parseResponse(bytes: Buffer): DirectResponse {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) throw new Error(`no head of a response: ${bytes.toString('latin1')}`);
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const rest = bytes.subarray(headEnd + 4);
  const body = headers['transfer-encoding'] === 'chunked' ? unchunked(rest) : rest;
  return { status: Number(statusLine.split(' ')[1]), headers, body };
}

function unchunked(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
