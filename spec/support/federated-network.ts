/** A network in one process: https://NAME leads to the listener of the server of that name, or to a peer that a test plays. */
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { type SigningKey, verifyKeyOf } from '../../src/matrix/crypto/ed25519.ts';
import { signRequest } from '../../src/matrix/crypto/x-matrix.ts';
import type { ServerName } from '../../src/matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { signJson } from '../../src/matrix/json/signed-json.ts';
import { systemDns } from '../../src/platform/dns.ts';
import { OutgoingHttpError } from '../../src/platform/outgoing-http-error.ts';
import { systemOutgoingHttp } from '../../src/platform/outgoing-http.ts';
import type { StreamedRequest, StreamedResponse, StreamingHttp } from '../../src/platform/ports.ts';
import { systemTimers } from '../../src/platform/timers.ts';
import { testSigningKey } from './keys.ts';
import { requestJson, type TestResponse } from './test-server.ts';

/** One request between servers, as the network saw it. */
export interface PassedRequest {
  readonly from: string;
  readonly to: string;
  readonly method: string;
  /** Path and query. */
  readonly uri: string;
  /** undefined: no answer. */
  readonly status: number | undefined;
}

/** A server that a test plays: it has a key, which it publishes, and answers as the test says. */
export interface TestPeer {
  readonly name: ServerName;
  readonly key: SigningKey;
  /** A request of this peer to a server, signed with its key unless another is given. */
  send(to: string, request: PeerRequest): Promise<TestResponse>;
}
export interface PeerRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Path and query. */
  readonly uri: string;
  readonly content?: JsonObject;
  readonly key?: SigningKey;
  /** Instead of the server that is asked. */
  readonly destination?: string;
  /** In place of the signed one; '' for none. */
  readonly authorization?: string;
}
/** How a peer answers; undefined: 404 M_UNRECOGNIZED. Its keys are answered for it. */
export type PeerAnswer = (
  request: PeerRequest & { readonly from: string },
) => Promise<PeerReply | undefined> | PeerReply | undefined;
export type PeerReply = PeerJson | PeerStream;
export interface PeerJson {
  readonly status?: number;
  readonly json: JsonObject;
}
export interface PeerStream {
  readonly status?: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes as they come; what it throws breaks the connection. */
  readonly stream: AsyncIterable<Buffer>;
}

export class FederatedNetwork {
  /** Every request between servers, oldest first. */
  readonly passed: PassedRequest[] = [];
  readonly #urls = new Map<string, string>();
  readonly #peers = new Map<
    string,
    (request: StreamedRequest, uri: string, from: string) => Promise<StreamedResponse>
  >();
  readonly #interceptors = new Map<string, PeerAnswer>();
  readonly #cuts = new Set<string>();
  readonly #http = systemOutgoingHttp(
    { federation: loopbackOnly, general: { ...loopbackOnly, allowPrivateAddresses: [] } },
    { dns: systemDns(), timers: systemTimers },
  );

  /** The way out of one server. */
  httpOf(from: string): StreamingHttp {
    return {
      request: (request) =>
        this.#pass(from, request, {
          peer: async (answer) => ({ ...answer, body: await wholeOf(answer) }),
          send: (url) => this.#http.request(sentTo(url, request)),
        }),
      stream: (request) =>
        this.#pass(from, request, {
          peer: async (answer) => answer,
          send: (url) => this.#http.stream(sentTo(url, request)),
        }),
    };
  }

  connect(name: string, url: string): void {
    this.#urls.set(name, url);
  }
  disconnect(name: string): void {
    this.#urls.delete(name);
  }

  /** No request passes between the two, in either direction. */
  cut(one: string, other: string): void {
    this.#cuts.add(linkOf(one, other));
  }
  mend(one: string, other: string): void {
    this.#cuts.delete(linkOf(one, other));
  }

  addPeer(
    name: string,
    answer: PeerAnswer = () => undefined,
    key: SigningKey = testSigningKey(name, 'ed25519:peer'),
  ): TestPeer {
    const serverName = name as ServerName;
    this.#peers.set(name, async ({ method, body }, uri, from) => {
      if (uri.startsWith('/_matrix/key/v2/server')) return jsonResponse(200, peerKeys(serverName, key));
      const content = body === undefined ? {} : { content: JSON.parse(String(body)) as JsonObject };
      const reply = await answer({ method: method as PeerRequest['method'], uri, ...content, from });
      if (reply === undefined)
        return jsonResponse(404, { errcode: 'M_UNRECOGNIZED', error: 'The peer does not answer that' });
      const { status = 200 } = reply;
      if ('json' in reply) return jsonResponse(status, reply.json);
      return { status, headers: reply.headers, body: Readable.from(brokenAsByNetwork(reply.stream)) };
    });
    return { name: serverName, key, send: (to, request) => this.#sendAs(serverName, key, to, request) };
  }
  /** Answers in place of a server what `answer` has an answer to. */
  intercept(name: string, answer: PeerAnswer): void {
    this.#interceptors.set(name, answer);
  }
  removePeer(name: string): void {
    this.#peers.delete(name);
  }

  close(): void {
    this.#http.close();
  }

  async #pass<T extends { readonly status: number }>(from: string, request: StreamedRequest, way: Way<T>): Promise<T> {
    const url = new URL(request.url);
    const to = url.hostname;
    const uri = url.pathname + url.search;
    const passed = (status: number | undefined): void =>
      void this.passed.push({ from, to, method: request.method, uri, status });
    try {
      const response = await this.#lead(from, to, uri, request, way);
      passed(response.status);
      return response;
    } catch (error) {
      passed(undefined);
      throw error;
    }
  }

  async #lead<T>(from: string, to: string, uri: string, request: StreamedRequest, way: Way<T>): Promise<T> {
    if (this.#cuts.has(linkOf(from, to))) throw new OutgoingHttpError('connection', `no way from ${from} to ${to}`);
    const method = request.method as PeerRequest['method'];
    const interceptor = this.#interceptors.get(to);
    const content =
      interceptor === undefined || request.body === undefined
        ? {}
        : { content: JSON.parse(String(request.body)) as JsonObject };
    const instead = await interceptor?.({ method, uri, ...content, from });
    if (instead !== undefined && 'json' in instead) return way.peer(jsonResponse(instead.status ?? 200, instead.json));
    const peer = this.#peers.get(to);
    if (peer !== undefined) return way.peer(await peer(request, uri, from));
    const base = this.#urls.get(to);
    // What has an address and is none of these servers is outside, where nothing leads back in.
    if (base === undefined && request.purpose !== 'federation' && isIP(to) !== 0) return way.send(undefined);
    if (base === undefined) throw new OutgoingHttpError('connection', `nobody listens at ${to}`);
    return way.send(base + uri);
  }

  async #sendAs(
    origin: ServerName,
    key: SigningKey,
    to: string,
    { method, uri, content, key: otherKey = key, destination = to, authorization }: PeerRequest,
  ): Promise<TestResponse> {
    const base = this.#urls.get(to);
    if (base === undefined) throw new Error(`nobody listens at ${to}`);
    const request = { method, uri, origin, destination: destination as ServerName, content };
    const signed = authorization ?? signRequest(request, otherKey);
    return requestJson(base, method, uri, {
      headers: {
        ...(signed === '' ? {} : { authorization: signed }),
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(content === undefined ? {} : { rawBody: legacyCanonicalJson(content) }),
    });
  }
}

/** What the peer publishes. */
export function peerKeys(serverName: ServerName, key: SigningKey, validUntilTs = Date.now() + 86_400_000): JsonObject {
  const keys = {
    server_name: serverName,
    verify_keys: { [key.keyId]: { key: verifyKeyOf(key).publicKey } },
    old_verify_keys: {},
    valid_until_ts: validUntilTs,
  };
  return signJson(keys, serverName, key);
}

const jsonResponse = (status: number, json: JsonObject): StreamedResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Readable.from([Buffer.from(legacyCanonicalJson(json))]),
});

/** How an answer of one kind comes from a peer, and from a server. */
interface Way<T> {
  peer(answer: StreamedResponse): Promise<T>;
  /** undefined: outside. */
  send(url: string | undefined): Promise<T>;
}

/** Servers of the test are all on the loopback address. */
function sentTo<R extends StreamedRequest>(url: string | undefined, request: R): R {
  if (url === undefined) return request;
  const { connect: _connect, servername: _servername, ...plain } = request;
  return { ...plain, purpose: 'federation', url } as R;
}

async function wholeOf({ body }: StreamedResponse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* brokenAsByNetwork(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw new OutgoingHttpError('connection', 'the connection broke', { cause: error });
  }
}

const loopbackOnly = { allowPrivateAddresses: ['127.0.0.0/8'], caCertificates: [], verifyTls: true };
const linkOf = (one: string, other: string): string => [one, other].toSorted().join(' ');
