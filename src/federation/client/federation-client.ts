import { signRequest, signRequestText } from '../../matrix/crypto/x-matrix.ts';
import { MatrixError } from '../../matrix/errors.ts';
import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { federationJsonDepthMax, parseJson } from '../../matrix/json/parse-json.ts';
import { limits } from '../../platform/limits.ts';
import type { LocalServers } from '../../platform/local-servers.ts';
import type { OutgoingResponse, StreamedResponse } from '../../platform/ports.ts';
import type {
  FederationBytes,
  FederationClient,
  FederationRequest,
  FederationStreams,
  FederationStreamRequest,
} from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import type { RemoteHttp } from './remote-http.ts';

/** Requests that one of our names signs. https://spec.matrix.org/v1.19/server-server-api/#request-authentication */
export class SigningClient implements FederationClient, FederationStreams {
  readonly #remote: RemoteHttp;
  readonly #localServers: LocalServers;
  readonly #userAgent: string;

  constructor(remote: RemoteHttp, localServers: LocalServers, userAgent: string) {
    this.#remote = remote;
    this.#localServers = localServers;
    this.#userAgent = userAgent;
  }

  async request(request: FederationRequest): Promise<JsonObject> {
    const { body } = await this.#send(request);
    const refuse = (message: string, cause?: unknown): FederationError => {
      this.#remote.countUnusable();
      return new FederationError(request.destination, 'unusable', message, { cause });
    };
    try {
      const value = parseJson(body, { depthMax: federationJsonDepthMax, numbers: 'exact' });
      if (!isJsonObject(value)) throw refuse('the answer is no JSON object');
      return value;
    } catch (error) {
      if (error instanceof MatrixError) throw refuse(`the answer cannot be read: ${error.message}`, error);
      throw error;
    }
  }

  async requestBytes(request: FederationRequest): Promise<FederationBytes> {
    const { headers, body } = await this.#send(request);
    return { contentType: headers['content-type'], body };
  }

  stream(request: FederationStreamRequest): Promise<StreamedResponse> {
    const { destination, isSigned, timeoutMs, signal, takesRedirects = false } = request;
    const method = 'GET';
    const origin = this.#localServers.main;
    const uri = uriOf(request);
    const key = this.#localServers.signingKeyOf(origin);
    const signed = { method, uri, origin, destination, content: undefined } as const;
    return this.#remote.stream({
      destination,
      method,
      uri,
      headers: {
        ...(isSigned ? { Authorization: signRequest(signed, key) } : {}),
        'User-Agent': this.#userAgent,
        // Nothing is unpacked, so nothing can be packed to burst.
        'Accept-Encoding': 'identity',
      },
      timeoutMs,
      idleTimeoutMs: limits.remoteMediaIdleMs,
      takesRedirects,
      signal,
      isUrgent: true,
    });
  }

  countUnusable(): void {
    this.#remote.countUnusable();
  }

  #send(request: FederationRequest): Promise<OutgoingResponse> {
    const { destination, method, content, canonicalContent, signal } = request;
    const origin = request.origin ?? this.#localServers.main;
    const uri = uriOf(request);
    const signed = { method, uri, origin, destination, content };
    const key = this.#localServers.signingKeyOf(origin);
    const authorization =
      canonicalContent === undefined ? signRequest(signed, key) : signRequestText(signed, canonicalContent, key);
    const body = canonicalContent ?? (content && legacyCanonicalJson(content));
    return this.#remote.request({
      destination,
      method,
      uri,
      headers: {
        Authorization: authorization,
        'User-Agent': this.#userAgent,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs: request.timeoutMs ?? limits.federationTimeoutMs,
      responseBytesMax: request.responseBytesMax ?? limits.federationResponseBytesMax,
      signal,
      isUrgent: request.isUrgent ?? false,
    });
  }
}

/** As it goes over the wire, since that is what is signed. */
export function uriOf({ path, query = {} }: Pick<FederationRequest, 'path' | 'query'>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of typeof value === 'object' ? value : [value]) search.append(name, String(one));
  }
  const text = search.size === 0 ? path : `${path}?${search.toString()}`;
  const url = new URL(text, 'https://server.invalid');
  return url.pathname + url.search;
}
