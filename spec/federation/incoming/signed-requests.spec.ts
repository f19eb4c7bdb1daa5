/** Requests of other servers, over HTTP. https://spec.matrix.org/v1.19/server-server-api/#request-authentication */
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { integer, json, object, optional, string } from '../../../src/http/decode.ts';
import { defineEndpoint, defineUnverifiedEndpoint } from '../../../src/http/endpoint.ts';
import { TokenBuckets } from '../../../src/http/rate-limiter.ts';
import { badSignature } from '../../../src/federation/incoming/request-authenticator.ts';
import { isSigned } from '../../../src/federation/incoming/is-signed.ts';
import { VerifyKeys } from '../../../src/federation/keys/verify-keys.ts';
import { signRequest } from '../../../src/matrix/crypto/x-matrix.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { legacyCanonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import { isJsonObject } from '../../../src/matrix/json/json-value.ts';
import { onSqlite } from '../../support/databases.ts';
import { FederatedNetwork, type TestPeer } from '../../support/federated-network.ts';
import { testSigningKey } from '../../support/keys.ts';
import { localServersOfTests, refusal } from '../../support/test-accounts.ts';
import { testFederation, type TestFederation } from '../../support/test-federation.ts';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

const getEcho = defineEndpoint({
  operationId: 'getEcho',
  method: 'GET',
  path: '/_matrix/federation/v1/echo/{name}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { name: string() },
  query: { text: optional(string()) },
  handle: async ({ requester, params, query }) => ({ json: { ...requester, ...params, text: query.text } }),
});
const putEcho = defineEndpoint({
  operationId: 'putEcho',
  method: 'PUT',
  path: '/_matrix/federation/v1/echo',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: {},
  query: {},
  body: object({ value: json(), count: optional(integer()) }),
  handle: async ({ requester, body }) => ({
    json: legacyCanonicalJson({ origin: requester.origin, value: body.value }),
  }),
});
const keys = new VerifyKeys(10);
const sendEcho = defineUnverifiedEndpoint({
  operationId: 'sendTransaction',
  method: 'PUT',
  path: '/_matrix/federation/v1/send/{txnId}',
  rateLimit: 'federation',
  params: { txnId: string() },
  query: {},
  handle: async ({ body, requester }) => {
    const content = parseJson(body.bytes, { numbers: 'exact' });
    if (!isSigned(body.signature, content, keys)) throw badSignature(requester.origin);
    body.confirm();
    return { json: { origin: requester.origin, members: isJsonObject(content) ? Object.keys(content).length : -1 } };
  },
});

onSqlite('signed requests', (engine) => {
  let network: FederatedNetwork;
  let federation: TestFederation;
  let server: TestServer;
  let peer: TestPeer;
  const stops: (() => Promise<void> | void)[] = [];
  const start = async (
    settings: Parameters<typeof testFederation>[2] = {},
    rateLimiter?: TokenBuckets,
    limits = {},
  ): Promise<void> => {
    network = new FederatedNetwork();
    const localServers = localServersOfTests(['test', 'second.test']);
    federation = await testFederation(await engine.open(), network.httpOf('test'), { localServers, ...settings });
    server = await startTestServer({
      endpoints: [getEcho, putEcho, sendEcho],
      domain: {},
      servers: federation.requests,
      limits,
      ...(rateLimiter === undefined ? {} : { rateLimiter }),
    });
    network.connect('test', server.url);
    network.connect('second.test', server.url);
    peer = network.addPeer('peer.test');
    const { close } = federation;
    stops.push(
      () => server.close(),
      close,
      () => network.close(),
    );
  };
  beforeEach(() => start());
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0)) await one();
  };
  afterEach(stop);
  const get = { method: 'GET', uri: '/_matrix/federation/v1/echo/a%20b?text=%C3%A4+b' } as const;

  it('are answered, with who asks and as whom we were asked', async () => {
    const { json: answer } = await peer.send('test', get);
    expect(answer).toEqual({ origin: 'peer.test', destination: 'test', name: 'a b', text: 'ä b' });
    expect((await peer.send('second.test', get)).json['destination']).toBe('second.test');
    expect(network.passed.filter(({ uri }) => uri.startsWith('/_matrix/key'))).toHaveLength(1);
  });

  it('may have numbers that only keep their text, and decoders take no such number for an object or an integer', async () => {
    const exact = parseJson('{"value":[1.0,1e3,-0,9007199254740993]}', { numbers: 'exact' });
    if (!isJsonObject(exact)) throw new Error('no object');
    const answer = await peer.send('test', { method: 'PUT', uri: '/_matrix/federation/v1/echo', content: exact });
    expect(answer.text).toBe('{"origin":"peer.test","value":[1.0,1000,0,9007199254740993]}');
    const counted = parseJson('{"value":1,"count":1.0}', { numbers: 'exact' });
    if (!isJsonObject(counted)) throw new Error('no object');
    const refused = await peer.send('test', { method: 'PUT', uri: '/_matrix/federation/v1/echo', content: counted });
    expect(refusal(refused)).toEqual([400, 'M_BAD_JSON']);
  });

  it('are handed over unread where the endpoint wants them so', async () => {
    const content = { pdus: [], edus: [] };
    const send = { method: 'PUT', uri: '/_matrix/federation/v1/send/1', content } as const;
    expect((await peer.send('test', send)).json).toEqual({ origin: 'peer.test', members: 2 });
    const forged = await peer.send('test', { ...send, key: testSigningKey('other', 'ed25519:peer') });
    expect(refusal(forged)).toEqual([401, 'M_UNAUTHORIZED']);
  });

  describe('are refused with 401', () => {
    const put = { method: 'PUT', uri: '/_matrix/federation/v1/echo', content: { value: 1 } } as const;
    const unauthorized = [401, 'M_UNAUTHORIZED'];

    it('without a signature, or with one that is none', async () => {
      for (const authorization of ['', 'Bearer token', 'X-Matrix', 'X-Matrix origin=peer.test,key="ed25519:peer"'])
        expect(refusal(await peer.send('test', { ...get, authorization }))).toEqual(unauthorized);
    });
    it('when the key is not the one that the server publishes', async () => {
      const key = testSigningKey('other', 'ed25519:peer');
      for (const request of [get, put])
        expect(refusal(await peer.send('test', { ...request, key }))).toEqual(unauthorized);
    });
    it('when nobody knows the key', async () => {
      const key = testSigningKey('peer.test', 'ed25519:unknown');
      expect(refusal(await peer.send('test', { ...get, key }))).toEqual(unauthorized);
      network.removePeer('peer.test');
      expect(refusal(await peer.send('test', { ...get, key }))).toEqual(unauthorized);
    });
    it('when they are for somebody else', async () => {
      expect(refusal(await peer.send('test', { ...get, destination: 'third.test' }))).toEqual(unauthorized);
      expect((await peer.send('test', { ...get, destination: 'second.test' })).json['destination']).toBe('second.test');
    });
    it('when path, query, method or body are not what was signed', async () => {
      const authorization = 'X-Matrix origin="peer.test",destination="test",key="ed25519:peer",sig="AAAA"';
      for (const request of [get, put])
        expect(refusal(await peer.send('test', { ...request, authorization }))).toEqual(unauthorized);
    });
    it('when several signatures are by different servers, or one of them is bad', async () => {
      const request = { method: 'GET', uri: get.uri, destination: 'test' as ServerName };
      const by = (name: string, key = testSigningKey(name, 'ed25519:peer')): string =>
        signRequest({ ...request, origin: name as ServerName }, key);
      network.addPeer('other.test');
      const forged = by('peer.test', testSigningKey('other.test', 'ed25519:peer'));
      const unknown = by('peer.test', testSigningKey('peer.test', 'ed25519:unknown'));
      const answerTo = (...signatures: string[]): Promise<number> => statusOf(server.url + get.uri, signatures);
      expect(await answerTo(by('peer.test'), by('other.test'))).toBe(401);
      expect(await answerTo(by('peer.test'), forged)).toBe(401);
      expect(await answerTo(unknown)).toBe(401);
      // One by a key that nobody knows does no harm beside one that is good.
      expect(await answerTo(unknown, by('peer.test'))).toBe(200);
      expect(await answerTo(...Array.from({ length: 6 }, () => by('peer.test')))).toBe(401);
    });
  });

  it('are refused before their body is looked at when it is too long or no JSON', async () => {
    await stop();
    await start({}, undefined, { requestBodyBytesMax: 1_000 });
    const uri = '/_matrix/federation/v1/echo';
    const long = await peer.send('test', { method: 'PUT', uri, content: { value: 'x'.repeat(2_000) } });
    expect(refusal(long)).toEqual([413, 'M_TOO_LARGE']);
  });

  it('are refused with 403 while federation is off, whoever asks', async () => {
    await stop();
    await start({ settings: { enabled: false } });
    expect(refusal(await peer.send('test', get))).toEqual([403, 'M_FORBIDDEN']);
    expect(network.passed).toEqual([]);
    expect(await federation.metrics.text()).toContain(
      'veche_federation_refusals_total{direction="incoming",reason="federation_off"} 1',
    );
  });

  it('run out when they are too many, or badly signed too often', async () => {
    await stop();
    const clock = { monotonicMs: () => 0 };
    const limits = { federation: { perSecond: 0.001, burst: 3 }, unknownSignatures: { perSecond: 0.001, burst: 2 } };
    await start({}, new TokenBuckets(limits, clock));
    const key = testSigningKey('other', 'ed25519:peer');
    const statuses: number[] = [];
    for (const request of [get, get, get, get]) statuses.push((await peer.send('test', request)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const other = network.addPeer('other.test');
    expect((await other.send('test', { ...get, key })).status).toBe(401);
    expect((await other.send('test', { ...get, key })).status).toBe(401);
    expect((await other.send('test', get)).status).toBe(429);
  });
});

/** Of a request with several Authorization headers. */
function statusOf(url: string, authorization: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = authorization.flatMap((value) => ['Authorization', value]);
    const request = httpRequest(url, { headers: ['Host', 'test', ...headers] }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject).end();
  });
}
