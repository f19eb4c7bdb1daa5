import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions as HttpsRequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, rootCertificates } from 'node:tls';
import { AddressRanges, isPublicAddress } from './address-ranges.ts';
import { OutgoingHttpError, type OutgoingHttpFailure } from './outgoing-http-error.ts';
import type {
  Dns,
  OutgoingPurpose,
  OutgoingRequest,
  OutgoingResponse,
  StreamedRequest,
  StreamedResponse,
  StreamingHttp,
  Timers,
} from './ports.ts';
import { Stalled, stallGuarded } from './stall-guard.ts';

export interface OutgoingPolicy {
  /** CIDR ranges that may be reached although they are not public. */
  readonly allowPrivateAddresses: readonly string[];
  /** CIDR ranges that may not be reached although they are public. Absent: none. */
  readonly blockedAddresses?: readonly string[];
  /** PEM texts, trusted beside the well-known authorities. */
  readonly caCertificates: readonly string[];
  readonly verifyTls: boolean;
}
export type OutgoingPolicies = Readonly<Record<OutgoingPurpose, OutgoingPolicy>>;

const idleTimeoutMsDefault = 30_000;

/**
 * HTTP and HTTPS requests with limits. Addresses are resolved by `dns`, checked, and exactly the checked ones are connected to, so a
 * name that changes its answer between check and use gains nothing. Redirects are handed to the caller as they are.
 */
export function systemOutgoingHttp(
  policies: OutgoingPolicies,
  parts: { readonly dns: Dns; readonly timers: Timers },
): StreamingHttp & { close(): void } {
  const routes = { federation: new Route(policies.federation), general: new Route(policies.general) };
  const routeOf = ({ purpose = 'general' }: StreamedRequest): Route => routes[purpose];
  return {
    async request(request) {
      return await new Exchange(request, routeOf(request), parts).run((response) => readWhole(response, request));
    },
    async stream(request) {
      const exchange = new Exchange(request, routeOf(request), parts);
      return await exchange.run((response) => exchange.streamed(response));
    },
    close() {
      routes.federation.close();
      routes.general.close();
    },
  };
}

/** What requests of one purpose share: trust, allowed addresses, open connections. */
class Route {
  readonly #agents: Readonly<Record<'kept' | 'fresh', { readonly http: HttpAgent; readonly https: HttpsAgent }>>;
  readonly #allowed: AddressRanges;
  readonly #blocked: AddressRanges;

  constructor(policy: OutgoingPolicy) {
    this.#allowed = new AddressRanges(policy.allowPrivateAddresses);
    this.#blocked = new AddressRanges(policy.blockedAddresses ?? []);
    const tls = {
      rejectUnauthorized: policy.verifyTls,
      // Made once: as plain `ca` it would be parsed for each connection and compared for each request.
      secureContext: createSecureContext({
        ca: [...rootCertificates, ...policy.caCertificates],
        minVersion: 'TLSv1.2',
      }),
    };
    const kept = { keepAlive: true, maxFreeSockets: 256 };
    this.#agents = {
      kept: { http: new HttpAgent(kept), https: new HttpsAgent({ ...kept, ...tls }) },
      fresh: { http: new HttpAgent(), https: new HttpsAgent(tls) },
    };
  }

  agent(connection: 'kept' | 'fresh', isTls: boolean): HttpAgent {
    return isTls ? this.#agents[connection].https : this.#agents[connection].http;
  }

  mayReach(address: string): boolean {
    return !this.#blocked.has(address) && (isPublicAddress(address) || this.#allowed.has(address));
  }

  close(): void {
    for (const { http, https } of Object.values(this.#agents)) {
      http.destroy();
      https.destroy();
    }
  }
}

type Addresses = Awaited<ReturnType<Dns['lookup']>>;

class Exchange {
  readonly #request: StreamedRequest;
  readonly #route: Route;
  readonly #dns: Dns;
  readonly #timers: Timers;
  readonly #abort = new AbortController();

  constructor(request: StreamedRequest, route: Route, parts: { readonly dns: Dns; readonly timers: Timers }) {
    this.#request = request;
    this.#route = route;
    this.#dns = parts.dns;
    this.#timers = parts.timers;
  }

  /** What `receive` gives. It is called when the headers are there, and all limits hold until it is done. */
  async run<T>(receive: Receive<T>): Promise<T> {
    const { timeoutMs, signal } = this.#request;
    const total = this.#timers.after(timeoutMs, () => {
      this.#giveUp('timeout', `no complete response within ${timeoutMs} ms`);
    });
    const onAbort = (): void => this.#giveUp('aborted', 'the request was aborted');
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#resolveAndSend(receive);
    } finally {
      total.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #resolveAndSend<T>(receive: Receive<T>): Promise<T> {
    const url = usableUrl(this.#request.url);
    const isTls = url.protocol === 'https:';
    const host = this.#request.connect?.host ?? bracketless(url.hostname);
    const addresses = await this.#usableAddresses(host);
    const options: HttpsRequestOptions = {
      method: this.#request.method,
      path: url.pathname + url.search,
      host,
      port: this.#request.connect?.port ?? (url.port === '' ? (isTls ? 443 : 80) : Number(url.port)),
      headers: headersFor(url, this.#request.headers),
      lookup: answering(addresses),
      signal: this.#abort.signal,
    };
    if (isTls) {
      const servername = this.#request.servername ?? bracketless(url.hostname);
      // TLS has no server name for addresses; the certificate is then checked against the address.
      options.servername = isIP(servername) === 0 ? servername : '';
    }
    try {
      return await this.#send(isTls, { ...options, agent: this.#route.agent('kept', isTls) }, receive);
    } catch (error) {
      // The peer closed an idle connection just as it was used again: nothing was answered, so a repeatable request goes out anew.
      if (!(error instanceof StaleConnection)) throw error;
      return await this.#send(isTls, { ...options, agent: this.#route.agent('fresh', isTls) }, receive);
    }
  }

  async #usableAddresses(host: string): Promise<Addresses> {
    const family = isIP(host);
    const found = family === 0 ? await this.#lookup(host) : [{ address: host, family: family === 6 ? 6 : 4 } as const];
    const usable = found.filter(({ address }) => this.#route.mayReach(address));
    if (usable.length === 0)
      throw new OutgoingHttpError('refused_address', `${host} is at an address that is neither public nor allowed`);
    return usable;
  }

  async #lookup(host: string): Promise<Addresses> {
    const given = Promise.withResolvers<never>();
    const signal = this.#abort.signal;
    const onAbort = (): void => given.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const found = await Promise.race([this.#dns.lookup(host), given.promise]);
      if (found.length === 0) throw new OutgoingHttpError('name', `${host} has no address`);
      return found;
    } catch (error) {
      if (error instanceof OutgoingHttpError) throw error;
      throw new OutgoingHttpError('name', `${host} could not be resolved: ${messageOf(error)}`, { cause: error });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #send<T>(isTls: boolean, options: HttpsRequestOptions, receive: Receive<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#abort.signal.throwIfAborted();
      let isAnswered = false;
      const outgoing = newRequest(isTls, options);
      const fail = (error: unknown): void => {
        const isStale = outgoing.reusedSocket && !isAnswered && isReset(error) && isRepeatable(this.#request.method);
        reject(isStale && !this.#abort.signal.aborted ? new StaleConnection() : this.#failureOf(error));
        outgoing.destroy();
      };
      const idleTimeoutMs = this.#idleTimeoutMs;
      outgoing.setTimeout(idleTimeoutMs, () => this.#giveUp('timeout', `no byte for ${idleTimeoutMs} ms`));
      outgoing.on('error', fail);
      outgoing.on('response', (response) => {
        isAnswered = true;
        receive(response).then(resolve, fail);
      });
      outgoing.end(this.#request.body);
    });
  }

  /** A response whose body goes on: from here on it has its own limit, and the signal holds until its end. */
  async streamed(response: IncomingMessage): Promise<StreamedResponse> {
    const { signal } = this.#request;
    const onAbort = (): void => this.#giveUp('aborted', 'the request was aborted');
    signal?.addEventListener('abort', onAbort, { once: true });
    response.once('close', () => signal?.removeEventListener('abort', onAbort));
    response.setTimeout(0);
    const body = stallGuarded(response, {
      timers: this.#timers,
      stallMsMax: this.#idleTimeoutMs,
      fail: (reason) => this.#failureOf(reason),
    });
    return { ...headOf(response), body };
  }

  get #idleTimeoutMs(): number {
    return this.#request.idleTimeoutMs ?? idleTimeoutMsDefault;
  }

  #giveUp(failure: OutgoingHttpFailure, message: string): void {
    this.#abort.abort(new OutgoingHttpError(failure, message));
  }

  #failureOf(error: unknown): OutgoingHttpError {
    const reason: unknown = this.#abort.signal.aborted ? this.#abort.signal.reason : error;
    if (reason instanceof OutgoingHttpError) return reason;
    if (reason instanceof Stalled) return new OutgoingHttpError('timeout', reason.message, { cause: reason });
    return new OutgoingHttpError(isTlsError(reason) ? 'tls' : 'connection', messageOf(reason), { cause: reason });
  }
}

type Receive<T> = (response: IncomingMessage) => Promise<T>;

const headOf = (response: IncomingMessage): Omit<OutgoingResponse, 'body'> => ({
  status: response.statusCode ?? 0,
  headers: flatHeaders(response.headers),
});

/** As much of the body as is wanted. */
async function readWhole(
  response: IncomingMessage,
  { method, responseBytesMax, bodyBytesWanted }: OutgoingRequest,
): Promise<OutgoingResponse> {
  const head = headOf(response);
  const wanted = bodyBytesWanted?.(head) ?? Infinity;
  const tooLarge = (): OutgoingHttpError =>
    new OutgoingHttpError('too_large', `the response has more than ${responseBytesMax} bytes`);
  const announced = method === 'HEAD' ? 0 : Number(head.headers['content-length'] ?? 0);
  if (Math.min(announced, wanted) > responseBytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  if (wanted <= 0) response.destroy();
  else
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (Math.min(length, wanted) > responseBytesMax) throw tooLarge();
      if (length >= wanted) break;
    }
  return { ...head, body: Buffer.concat(chunks, Math.min(length, wanted)) };
}

/** Node checks the method, the headers and the port at once. */
function newRequest(isTls: boolean, options: HttpsRequestOptions): ClientRequest {
  try {
    return (isTls ? httpsRequest : httpRequest)(options);
  } catch (error) {
    throw new OutgoingHttpError('bad_request', messageOf(error), { cause: error });
  }
}

class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

function usableUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new OutgoingHttpError('bad_request', 'not an http or https URL');
  if (url.username !== '' || url.password !== '')
    throw new OutgoingHttpError('bad_request', 'a URL with a user name or a password is not used');
  return url;
}

function headersFor(url: URL, given: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = { ...given };
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'host')) headers['Host'] = url.host;
  return headers;
}

/** The look-up of a connection that may go to these addresses only. */
function answering(addresses: Addresses): LookupFunction {
  return (_host, options, callback) => {
    const first = addresses[0];
    if (options.all === true) callback(null, [...addresses]);
    else if (first !== undefined) callback(null, first.address, first.family);
  };
}

function flatHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  return flat;
}

const isRepeatable = (method: string): boolean => ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'].includes(method);
const isReset = (error: unknown): boolean => ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
const isTlsError = (error: unknown): boolean =>
  /^(ERR_TLS_|ERR_SSL_|CERT_|EPROTO|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(codeOf(error));
const bracketless = (host: string): string => (host.startsWith('[') ? host.slice(1, -1) : host);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
