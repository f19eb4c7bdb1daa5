import type { Readable } from 'node:stream';
import { isJsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { MatrixError } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import type { Counter, Histogram, Metrics } from '../../platform/metrics.ts';
import { OutgoingHttpError } from '../../platform/outgoing-http-error.ts';
import type {
  Clock,
  OutgoingResponse,
  StreamedRequest,
  StreamedResponse,
  StreamingHttp,
} from '../../platform/ports.ts';
import type { ServerAddress, ServerDiscovery } from '../discovery/server-discovery.ts';
import { FederationError } from '../federation-error.ts';
import type { FederationPolicy } from '../policy/federation-policy.ts';
import type { Destinations } from './destinations.ts';

/** One request to another server, as it goes over the wire. */
export interface RemoteRequest {
  readonly destination: ServerName;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Path and query. */
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  readonly signal?: AbortSignal | undefined;
  /** A person waits for it: it is tried although the destination is backing off. */
  readonly isUrgent: boolean;
  /** What becomes of it is not held against the destination, nor remembered: nobody may ever have talked to it. */
  readonly isProbe?: boolean;
}

/** One whose answer is too large for memory. `timeoutMs` ends with the headers of the response. */
export interface RemoteStreamRequest extends Omit<RemoteRequest, 'responseBytesMax' | 'body'> {
  readonly method: 'GET';
  /** Without a byte although it is read. */
  readonly idleTimeoutMs: number;
  /** A status of 3xx is a response, too. */
  readonly takesRedirects: boolean;
}

export interface RemoteHttpParts {
  readonly http: StreamingHttp;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly localServers: LocalServers;
  readonly policy: FederationPolicy;
  readonly discovery: Pick<ServerDiscovery, 'find' | 'doubt'>;
  readonly destinations: Destinations;
  readonly metrics: Metrics;
}

/** The one way to other servers: policy, back-off, discovery, limits, and what became of it. */
export class RemoteHttp {
  readonly #parts: RemoteHttpParts;
  readonly #requests: Counter<'outcome'>;
  readonly #duration: Histogram<'outcome'>;

  constructor(parts: RemoteHttpParts) {
    this.#parts = parts;
    this.#requests = parts.metrics.counter(
      'veche_federation_requests_total',
      'Requests to other servers by what became of them.',
      ['outcome'],
    );
    this.#duration = parts.metrics.histogram(
      'veche_federation_request_duration_seconds',
      'Time from asking another server to the end of its answer.',
      ['outcome'],
    );
  }

  /** A response with a status below 300. Throws FederationError; the signal's reason when that is aborted. */
  async request(request: RemoteRequest): Promise<OutgoingResponse> {
    const { responseBytesMax } = request;
    return await this.#counted(request, async () => {
      const response = await this.#send(request, (to) => this.#parts.http.request({ ...to, responseBytesMax }));
      this.#judge(request, response);
      return response;
    });
  }

  /**
   * As `request`, as soon as the headers are there. What becomes of the body is not held against the destination: it ends in
   * an OutgoingHttpError when it is cut.
   */
  async stream(request: RemoteStreamRequest): Promise<StreamedResponse> {
    const { idleTimeoutMs, takesRedirects } = request;
    return await this.#counted(request, async () => {
      const response = await this.#send(request, (to) => this.#parts.http.stream({ ...to, idleTimeoutMs }));
      const { status, headers, body } = response;
      if (status < 300 || (takesRedirects && status < 400)) this.#judge(request, { status: 200, headers, body: empty });
      else this.#judge(request, { status, headers, body: await this.#readError(body, request.timeoutMs) });
      return response;
    });
  }

  async #counted<T>(request: Sent, ask: () => Promise<T>): Promise<T> {
    const { destination } = request;
    const { policy, destinations, localServers, clock } = this.#parts;
    if (localServers.isLocal(destination)) throw new FederationError(destination, 'refused', 'that is this server');
    // Whose requests are answered, of them the keys are needed to check these.
    if (request.isProbe !== true || !policy.mayReceiveFrom(destination)) policy.assertMaySendTo(destination);
    const retryInMs = request.isUrgent ? 0 : destinations.retryInMs(destination);
    if (retryInMs > 0) {
      this.#requests.add({ outcome: 'backing-off' });
      const last = destinations.findFailing(destination)?.lastError ?? 'it did not answer';
      throw new FederationError(destination, 'backing-off', `not asked for another ${retryInMs} ms: ${last}`);
    }
    const startedMs = clock.monotonicMs();
    let outcome: Outcome = 'ok';
    try {
      return await ask();
    } catch (error) {
      request.signal?.throwIfAborted();
      outcome = outcomeOf(error);
      throw error;
    } finally {
      this.#requests.add({ outcome });
      this.#duration.observe({ outcome }, (clock.monotonicMs() - startedMs) / 1000);
    }
  }

  /** What an error response says; of one that is too long, or too long in coming, only the beginning. */
  async #readError(body: Readable, timeoutMs: number): Promise<Buffer> {
    const { clock } = this.#parts;
    const endMs = clock.monotonicMs() + timeoutMs;
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > errorBytesMax || clock.monotonicMs() > endMs) break;
      }
    } catch (error) {
      // The status says enough.
      if (!(error instanceof OutgoingHttpError)) throw error;
    }
    return Buffer.concat(chunks);
  }

  /** The response was not what was asked for, which says nothing of whether the server can be reached. */
  countUnusable(): void {
    this.#requests.add({ outcome: 'unusable' });
  }

  async #send<T>(request: Sent, send: (to: StreamedRequest) => Promise<T>): Promise<T> {
    const addresses = await this.#parts.discovery.find(request.destination);
    for (const [index, address] of addresses.entries()) {
      try {
        return await send(outgoing(request, address));
      } catch (error) {
        if (!(error instanceof OutgoingHttpError)) throw error;
        if (index + 1 < addresses.length && mayTryNext(request, error)) continue;
        throw this.#failureOf(request, error);
      }
    }
    throw new Error(`${request.destination} has no address`);
  }

  #failureOf({ destination, signal, isProbe }: Sent, error: OutgoingHttpError): FederationError {
    const { failure, message } = error;
    const details = { cause: error };
    if (failure === 'too_large') return new FederationError(destination, 'unusable', message, details);
    if (failure === 'refused_address') return new FederationError(destination, 'refused', message, details);
    const isOurs = failure === 'aborted' || signal?.aborted === true || isProbe === true;
    if (!isOurs) {
      this.#parts.discovery.doubt(destination);
      this.#parts.destinations.failed(destination, message);
    }
    return new FederationError(destination, 'unreachable', message, details);
  }

  /** Whatever the status, the server is there; but not well when it says so. Throws FederationError 'answered'. */
  #judge({ destination, isProbe = false }: Sent, { status, body }: OutgoingResponse): void {
    const { destinations } = this.#parts;
    if (status < 300) return isProbe ? undefined : destinations.succeeded(destination);
    const { errcode, error, retryAfterMs, roomVersion } = readError(body);
    const words = `answered ${status}${errcode === undefined ? '' : ` ${errcode}`}${error === undefined ? '' : `: ${error}`}`;
    const isUnwell = status >= 500 || status === 429;
    if (isUnwell && !isProbe) destinations.failed(destination, words, retryAfterMs);
    // That our signature is refused says nothing good, and nothing that waiting would better.
    else if (status !== 401 && !isUnwell && !isProbe) destinations.succeeded(destination);
    throw new FederationError(destination, 'answered', words, { status, errcode, said: error, roomVersion });
  }
}

type Outcome = 'ok' | 'refused' | 'unreachable' | 'backing-off' | 'unusable' | '3xx' | '4xx' | '5xx' | 'failed';

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof FederationError)) return 'failed';
  if (error.failure !== 'answered') return error.failure;
  return (error.status ?? 0) >= 500 ? '5xx' : (error.status ?? 0) >= 400 ? '4xx' : '3xx';
}

type Sent = Omit<RemoteRequest, 'responseBytesMax'>;
const empty = Buffer.alloc(0);

const outgoing = (
  { method, uri, headers, body, timeoutMs, signal }: Sent,
  { host, port, hostHeader, certificateName }: ServerAddress,
): StreamedRequest => ({
  method,
  url: `https://${hostHeader}${uri}`,
  headers: { ...headers, Host: hostHeader },
  ...(body === undefined ? {} : { body }),
  timeoutMs,
  purpose: 'federation',
  connect: { host, port },
  servername: certificateName,
  ...(signal === undefined ? {} : { signal }),
});

/** Nothing was done by a server that no connection reached. */
const mayTryNext = ({ method }: Sent, { failure }: OutgoingHttpError): boolean =>
  failure === 'name' || failure === 'refused_address' || (failure === 'connection' && method !== 'POST');

/** What an error response says, as far as it is one. https://spec.matrix.org/v1.19/client-server-api/#standard-error-response */
function readError(body: Buffer): { errcode?: string; error?: string; retryAfterMs?: number; roomVersion?: string } {
  if (body.length > errorBytesMax) return {};
  try {
    const value = parseJson(body);
    if (!isJsonObject(value)) return {};
    const { errcode, error, retry_after_ms: retryAfterMs, room_version: roomVersion } = value;
    return {
      ...(typeof errcode === 'string' ? { errcode: errcode.slice(0, 100) } : {}),
      ...(typeof error === 'string' ? { error: error.slice(0, 300) } : {}),
      ...(typeof roomVersion === 'string' ? { roomVersion: roomVersion.slice(0, 100) } : {}),
      ...(typeof retryAfterMs === 'number' && retryAfterMs > 0 ? { retryAfterMs } : {}),
    };
  } catch (failure) {
    if (failure instanceof MatrixError) return {};
    throw failure;
  }
}
const errorBytesMax = 65_536;
