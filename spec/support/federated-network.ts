/** A network in one process: https://NAME leads to the listener of the server of that name, or to a peer that a test plays. */
import { type SigningKey, verifyKeyOf } from '../../src/matrix/crypto/ed25519.ts';
import { signRequest } from '../../src/matrix/crypto/x-matrix.ts';
import type { ServerName } from '../../src/matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { signJson } from '../../src/matrix/json/signed-json.ts';
import { systemDns } from '../../src/platform/dns.ts';
import { OutgoingHttpError } from '../../src/platform/outgoing-http-error.ts';
import { systemOutgoingHttp } from '../../src/platform/outgoing-http.ts';
import type { OutgoingHttp, OutgoingRequest, OutgoingResponse } from '../../src/platform/ports.ts';
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
export interface PeerReply {
  readonly status?: number;
  readonly json: JsonObject;
}

export class FederatedNetwork {
  /** Every request between servers, oldest first. */
  readonly passed: PassedRequest[] = [];
  readonly #urls = new Map<string, string>();
  readonly #peers = new Map<
    string,
    (request: OutgoingRequest, uri: string, from: string) => Promise<OutgoingResponse>
  >();
  readonly #cuts = new Set<string>();
  readonly #http = systemOutgoingHttp(
    { federation: loopbackOnly, general: loopbackOnly },
    { dns: systemDns(), timers: systemTimers },
  );

  /** The way out of one server. */
  httpOf(from: string): OutgoingHttp {
    return { request: (request) => this.#request(from, request) };
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

  addPeer(name: string, answer: PeerAnswer = () => undefined): TestPeer {
    const serverName = name as ServerName;
    const key = testSigningKey(name, 'ed25519:peer');
    this.#peers.set(name, async ({ method, body }, uri, from) => {
      if (uri.startsWith('/_matrix/key/v2/server')) return jsonResponse(200, peerKeys(serverName, key));
      const content = body === undefined ? {} : { content: JSON.parse(String(body)) as JsonObject };
      const reply = await answer({ method: method as PeerRequest['method'], uri, ...content, from });
      return reply === undefined
        ? jsonResponse(404, { errcode: 'M_UNRECOGNIZED', error: 'The peer does not answer that' })
        : jsonResponse(reply.status ?? 200, reply.json);
    });
    return { name: serverName, key, send: (to, request) => this.#sendAs(serverName, key, to, request) };
  }
  removePeer(name: string): void {
    this.#peers.delete(name);
  }

  close(): void {
    this.#http.close();
  }

  async #request(from: string, request: OutgoingRequest): Promise<OutgoingResponse> {
    const url = new URL(request.url);
    const to = url.hostname;
    const uri = url.pathname + url.search;
    const passed = (status: number | undefined): void =>
      void this.passed.push({ from, to, method: request.method, uri, status });
    try {
      const response = await this.#lead(from, to, uri, request);
      passed(response.status);
      return response;
    } catch (error) {
      passed(undefined);
      throw error;
    }
  }

  #lead(from: string, to: string, uri: string, request: OutgoingRequest): Promise<OutgoingResponse> {
    if (this.#cuts.has(linkOf(from, to))) throw new OutgoingHttpError('connection', `no way from ${from} to ${to}`);
    const peer = this.#peers.get(to);
    if (peer !== undefined) return peer(request, uri, from);
    const base = this.#urls.get(to);
    if (base === undefined) throw new OutgoingHttpError('connection', `nobody listens at ${to}`);
    const { connect: _connect, servername: _servername, ...plain } = request;
    return this.#http.request({ ...plain, url: base + uri });
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

const jsonResponse = (status: number, json: JsonObject): OutgoingResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(legacyCanonicalJson(json)),
});
const loopbackOnly = { allowPrivateAddresses: ['127.0.0.0/8'], caCertificates: [], verifyTls: true };
const linkOf = (one: string, other: string): string => [one, other].toSorted().join(' ');
