import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressRanges } from '../platform/address-ranges.ts';
import { allowsOtherOrigins } from './cors.ts';
import type { ClientInfo } from './endpoint.ts';
import { parseQuery, type Query } from './query-string.ts';
import type { ServeGroup } from './serve-groups.ts';

/** What a request needs to know of the listener that it came through. */
export interface ListenerContext {
  readonly serves: ReadonlySet<ServeGroup>;
  /** Whose X-Forwarded-For and X-Forwarded-Proto count. */
  readonly trustedProxies: AddressRanges | undefined;
  readonly isTls: boolean;
}

/** Why a request's signal was aborted. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}
export class ShuttingDown extends Error {
  override readonly name = 'ShuttingDown';
}

/** The requests whose handlers wait for something; a shutdown ends the waiting. */
export interface WaitingRequests {
  readonly waiting: Set<Exchange>;
  readonly isClosing: boolean;
}

/** One request and its response, with what is computed from them only when somebody asks. */
export class Exchange implements ClientInfo {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly listener: ListenerContext;
  /** Without the query. */
  readonly path: string;
  readonly requestId: string;
  readonly startedMs: number;
  readonly isCors: boolean;
  /** The client waits for "100 Continue" before it sends the body. */
  expectsContinue = false;
  /** Bytes are streamed in or out: how long that takes says nothing of the server. */
  isTransfer = false;
  readonly #waitingRequests: WaitingRequests;
  #address: string | undefined;
  #query: Query | undefined;
  #controller: AbortController | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    listener: ListenerContext,
    given: { readonly requestId: string; readonly startedMs: number; readonly waitingRequests: WaitingRequests },
  ) {
    this.request = request;
    this.response = response;
    this.listener = listener;
    this.path = pathOf(request.url ?? '/');
    this.requestId = given.requestId;
    this.startedMs = given.startedMs;
    this.isCors = allowsOtherOrigins(this.path);
    this.#waitingRequests = given.waitingRequests;
  }

  get query(): Query {
    return (this.#query ??= parseQuery(this.request.url ?? '/'));
  }

  get address(): string {
    return (this.#address ??= clientAddress(this.request, this.listener.trustedProxies));
  }

  get userAgent(): string | undefined {
    return this.request.headers['user-agent'];
  }

  get origin(): string {
    return `${this.#scheme}://${this.request.headers.host ?? 'localhost'}`;
  }

  get #scheme(): string {
    const proxies = this.listener.trustedProxies;
    if (proxies?.has(this.request.socket.remoteAddress ?? '') === true) {
      const forwarded = this.header('x-forwarded-proto')?.split(',').at(-1)?.trim().toLowerCase();
      if (forwarded === 'http' || forwarded === 'https') return forwarded;
    }
    return this.listener.isTls ? 'https' : 'http';
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** Whether a handler asked for the signal, which is what long polls do. */
  get isWaiting(): boolean {
    return this.#controller !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    const controller = (this.#controller = new AbortController());
    if (this.response.destroyed) controller.abort(new ClientGone());
    else if (this.#waitingRequests.isClosing) controller.abort(new ShuttingDown());
    else {
      this.#waitingRequests.waiting.add(this);
      this.response.once('close', () => {
        this.#waitingRequests.waiting.delete(this);
        if (!this.response.writableEnded) controller.abort(new ClientGone());
      });
    }
    return controller.signal;
  }

  /** Ends the waiting, so that the handler answers now. */
  shutDown(): void {
    this.#controller?.abort(new ShuttingDown());
  }
}

function pathOf(target: string): string {
  const end = target.indexOf('?');
  const path = end === -1 ? target : target.slice(0, end);
  if (path.startsWith('/')) return path;
  // The absolute form, as proxies may send it: http://host/path
  const match = /^https?:\/\/[^/]*(\/.*)?$/i.exec(path);
  return match ? (match[1] ?? '/') : path;
}

/**
 * X-Forwarded-For grows to the right, one entry per proxy, so it is read from the right for as long as the one who wrote
 * the entry is a configured proxy. What a client wrote itself never counts.
 */
function clientAddress(request: IncomingMessage, trustedProxies: AddressRanges | undefined): string {
  let address = plainAddress(request.socket.remoteAddress ?? '');
  if (trustedProxies === undefined) return address;
  const header = request.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  while (entries.length > 0 && trustedProxies.has(address)) {
    const entry = /^\s*(?:\[([0-9a-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9a-f:.]+))\s*$/i.exec(
      entries.pop() ?? '',
    );
    const found = entry?.[1] ?? entry?.[2] ?? entry?.[3];
    if (found === undefined) break;
    address = plainAddress(found);
  }
  return address;
}

const plainAddress = (address: string): string =>
  /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice('::ffff:'.length) : address;
