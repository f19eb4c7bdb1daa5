/** https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys */
import { afterEach, describe, expect, it } from 'vitest';
import { bulkPerspectivesKeyQuery } from '../../../src/http/keys/bulk-perspectives-key-query.ts';
import { perspectivesKeyQuery } from '../../../src/http/keys/perspectives-key-query.ts';
import { type SigningKey, verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../../../src/matrix/json/json-value.ts';
import { signJson, verifySignedJson } from '../../../src/matrix/json/signed-json.ts';
import { OutgoingHttpError } from '../../../src/platform/outgoing-http-error.ts';
import type { OutgoingHttp } from '../../../src/platform/ports.ts';
import type { Database } from '../../../src/storage/database.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testSigningKey } from '../../support/keys.ts';
import { localServersOfTests, refusal } from '../../support/test-accounts.ts';
import { testFederation, type TestFederation } from '../../support/test-federation.ts';
import { testEpochMs, testPorts } from '../../support/test-ports.ts';
import { startTestServer } from '../../support/test-server.ts';

const day = 86_400_000;
const peer = 'peer.test' as ServerName;
const notary = 'notary.test' as ServerName;
const peerKey = testSigningKey('peer.test', 'ed25519:1');
const notaryKey = testSigningKey('notary.test', 'ed25519:n');

describeOnBothEngines('KeyRing', (engine) => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  /** `answers` are asked in place of servers, by host. */
  const start = async (
    answers: Record<string, (uri: string, body: JsonObject) => JsonObject | undefined>,
    options: Parameters<typeof testFederation>[2] & { readonly db?: Database } = {},
  ): Promise<TestFederation & { readonly asked: string[] }> => {
    const asked: string[] = [];
    const http: OutgoingHttp = {
      async request({ url, body }) {
        const { hostname, pathname } = new URL(url);
        if (pathname.startsWith('/.well-known')) return { status: 404, headers: {}, body: Buffer.alloc(0) };
        asked.push(hostname);
        const content = body === undefined ? {} : (JSON.parse(String(body)) as JsonObject);
        const json = answers[hostname]?.(pathname, content);
        if (json === undefined) throw new OutgoingHttpError('connection', `nobody listens at ${hostname}`);
        return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(json)) };
      },
    };
    const federation = await testFederation(options.db ?? (await engine.open()), http, {
      ports: testPorts(1, { http }),
      ...options,
    });
    closing.push(() => federation.close());
    return { ...federation, asked };
  };
  const keysOf = (
    server: ServerName,
    key: SigningKey,
    validUntilTs = testEpochMs + day,
    more: JsonObject = {},
  ): JsonObject =>
    signJson(
      {
        server_name: server,
        verify_keys: { [key.keyId]: { key: key.publicKey } },
        old_verify_keys: {},
        valid_until_ts: validUntilTs,
        ...more,
      },
      server,
      key,
    );
  const find = async (
    { keyRing }: TestFederation,
    keyId = peerKey.keyId,
    validAtTs: number | undefined = testEpochMs,
  ): Promise<string | undefined> =>
    (await keyRing.find([{ serverName: peer, keyId, validAtTs }]))(peer, keyId)?.publicKey;

  it('asks a server once however many wait, and finds its keys in memory and, after a restart, in the database', async () => {
    const answers = { [peer]: () => keysOf(peer, peerKey) };
    const db = await engine.open();
    const first = await start(answers, { db });
    const found = await Promise.all(Array.from({ length: 20 }, () => find(first)));
    expect(new Set(found)).toEqual(new Set([peerKey.publicKey]));
    expect(first.asked).toEqual([peer]);
    const second = await start({}, { db });
    expect(await find(second)).toBe(peerKey.publicKey);
    expect(second.asked).toEqual([]);
  });

  it('asks again when a key is not valid any more, and knows a new one then', async () => {
    const newKey = testSigningKey('new', 'ed25519:2');
    let answer = keysOf(peer, peerKey);
    const ring = await start({ [peer]: () => answer });
    expect(await find(ring)).toBe(peerKey.publicKey);
    answer = keysOf(peer, newKey, testEpochMs + 3 * day, {
      old_verify_keys: { [peerKey.keyId]: { key: peerKey.publicKey, expired_ts: testEpochMs + day / 2 } },
    });
    const laterTs = testEpochMs + 2 * day;
    await ring.ports.advance(2 * day);
    expect(await find(ring, peerKey.keyId, laterTs)).toBe(undefined);
    expect(await find(ring, newKey.keyId, laterTs)).toBe(newKey.publicKey);
    expect(ring.asked).toHaveLength(2);
    // What it signed while it was in use stays good, also where the time does not count.
    expect(await find(ring, peerKey.keyId, testEpochMs + day / 2)).toBe(peerKey.publicKey);
    expect(await find(ring, peerKey.keyId, undefined)).toBe(peerKey.publicKey);
  });

  it('trusts no key for longer than seven days without asking again', async () => {
    const ring = await start({ [peer]: () => keysOf(peer, peerKey, testEpochMs + 1_000 * day) });
    expect(await find(ring, peerKey.keyId, testEpochMs + 7 * day)).toBe(peerKey.publicKey);
    expect(await find(ring, peerKey.keyId, testEpochMs + 7 * day + 1)).toBe(undefined);
    await ring.ports.advance(8 * day);
    expect(await find(ring, peerKey.keyId, testEpochMs + 8 * day)).toBe(peerKey.publicKey);
  });

  it.each<[string, JsonObject]>([
    ['of another server', keysOf(notary, peerKey)],
    ['that are not signed', { ...keysOf(peer, peerKey), signatures: {} }],
    ['that were changed', { ...keysOf(peer, peerKey), valid_until_ts: testEpochMs + 2 * day }],
    ['that another key signed', signJson({ ...keysOf(peer, peerKey), signatures: {} }, peer, notaryKey)],
    ['without a time', keysOf(peer, peerKey, testEpochMs, { valid_until_ts: 'never' })],
    ['without keys', keysOf(peer, peerKey, testEpochMs, { verify_keys: [] })],
  ])('takes no keys %s', async (_title, answer) => {
    const ring = await start({ [peer]: () => answer });
    expect(await find(ring)).toBe(undefined);
    expect(ring.failures).toEqual([]);
  });

  it('waits longer and longer before it asks again for what a server does not have', async () => {
    const ring = await start({ [peer]: () => keysOf(peer, peerKey) });
    for (let times = 0; times < 10; times++) expect(await find(ring, 'ed25519:none')).toBe(undefined);
    expect(ring.asked).toHaveLength(1);
    await ring.ports.advance(1_000);
    await find(ring, 'ed25519:none');
    await ring.ports.advance(1_000);
    await find(ring, 'ed25519:none');
    expect(ring.asked).toHaveLength(2);
    await ring.ports.advance(1_000);
    await find(ring, 'ed25519:none');
    expect(ring.asked).toHaveLength(3);
  });

  it('knows our own keys, and those of the configuration, without asking anybody', async () => {
    const pinnedKeys = { [peer]: { [peerKey.keyId]: peerKey.publicKey } };
    const ring = await start({ [peer]: () => keysOf(peer, notaryKey) }, { settings: { pinnedKeys } });
    expect(await find(ring, peerKey.keyId, testEpochMs + 100 * day)).toBe(peerKey.publicKey);
    expect(await find(ring, notaryKey.keyId)).toBe(undefined);
    const own = ring.localServers.signingKeyOf('test');
    const wanted = [{ serverName: 'test' as ServerName, keyId: own.keyId, validAtTs: testEpochMs }];
    expect((await ring.keyRing.find(wanted))('test', own.keyId)?.publicKey).toBe(own.publicKey);
    expect(ring.asked).toEqual([]);
  });

  it('lets other pinned keys count from one moment to the next, also against keys that it knows', async () => {
    const ring = await start({ [peer]: () => keysOf(peer, peerKey) });
    expect(await find(ring)).toBe(peerKey.publicKey);
    ring.keyRing.replace({ trustedKeyServers: [], pinnedKeys: { [peer]: { [notaryKey.keyId]: notaryKey.publicKey } } });
    expect(await find(ring, peerKey.keyId)).toBe(undefined);
    expect(await find(ring, peerKey.keyId, undefined)).toBe(undefined);
    expect(await find(ring, notaryKey.keyId)).toBe(notaryKey.publicKey);
    ring.keyRing.replace({ trustedKeyServers: [], pinnedKeys: {} });
    expect(await find(ring, peerKey.keyId)).toBe(peerKey.publicKey);
    expect(await find(ring, notaryKey.keyId)).toBe(undefined);
  });

  describe('by a notary', () => {
    const settings = { trustedKeyServers: [notary] };
    const passedOn = (json: JsonObject, key = notaryKey): JsonObject => ({
      server_keys: [signJson(json, notary, key)],
    });

    it('has the keys of servers that do not answer', async () => {
      const questions: JsonObject[] = [];
      const answerOfNotary = (uri: string, body: JsonObject): JsonObject => {
        if (uri.endsWith('/server')) return keysOf(notary, notaryKey);
        questions.push(body);
        return passedOn(keysOf(peer, peerKey));
      };
      const ring = await start({ [notary]: answerOfNotary }, { settings });
      expect(await find(ring)).toBe(peerKey.publicKey);
      expect(questions).toEqual([
        { server_keys: { [peer]: { [peerKey.keyId]: { minimum_valid_until_ts: testEpochMs } } } },
      ]);
      const forgets = await start({}, { settings: {} });
      expect(await find(forgets)).toBe(undefined);
    });

    it.each<[string, JsonObject]>([
      ['that it did not sign', { server_keys: [keysOf(peer, peerKey)] }],
      ['that somebody else signed', passedOn(keysOf(peer, peerKey), testSigningKey('x', 'ed25519:n'))],
      ['that the server itself did not sign', passedOn({ ...keysOf(peer, peerKey), signatures: {} })],
      ['that nobody asked for', passedOn(keysOf('other.test' as ServerName, peerKey))],
      ['that are none', { server_keys: [5, {}] }],
      ['in no list', { server_keys: {} }],
    ])('takes no keys %s', async (_title, answer) => {
      const ring = await start(
        { [notary]: (uri) => (uri.endsWith('/server') ? keysOf(notary, notaryKey) : answer) },
        { settings },
      );
      expect(await find(ring)).toBe(undefined);
      expect(ring.failures).toEqual([]);
    });
  });

  it('passes keys on as a notary, signed by both', async () => {
    const ring = await start({ [peer]: () => keysOf(peer, peerKey) });
    const server = await startTestServer({
      endpoints: [perspectivesKeyQuery, bulkPerspectivesKeyQuery],
      domain: { federation: ring, clock: ring.ports.clock },
    });
    closing.push(() => server.close());
    const own = ring.localServers.signingKeyOf('test');
    const answersTo = async (response: ReturnType<typeof server.request>): Promise<readonly JsonObject[]> => {
      const { status, json } = await response;
      expect(status).toBe(200);
      return Array.isArray(json['server_keys']) ? json['server_keys'].filter(isJsonObject) : [];
    };
    const query = '/_matrix/key/v2/query';
    const [answer, ...others] = await answersTo(server.request('GET', `${query}/${peer}`));
    expect(others).toEqual([]);
    expect(answer?.['server_name']).toBe(peer);
    expect(verifySignedJson(answer ?? {}, 'test', () => verifyKeyOf(own)).ok).toBe(true);
    expect(verifySignedJson(answer ?? {}, peer, () => verifyKeyOf(peerKey)).ok).toBe(true);
    const unknown = 'unknown.test';
    const body = { server_keys: { [peer]: {}, test: {}, [unknown]: { 'ed25519:1': { minimum_valid_until_ts: 5 } } } };
    const found = await answersTo(server.request('POST', query, { body }));
    expect(found.map((one) => one['server_name'])).toEqual([peer, 'test']);
    expect(await answersTo(server.request('POST', query, { body: { server_keys: {} } }))).toEqual([]);
    expect(ring.asked).toEqual([peer, unknown]);
    await ring.ports.advance(2_000);
    const until = `?minimum_valid_until_ts=${testEpochMs + 2 * day}`;
    expect(await answersTo(server.request('GET', `${query}/${peer}${until}`))).toHaveLength(1);
    expect(ring.asked).toEqual([peer, unknown, peer]);
    for (const bad of [
      { server_keys: { 'a b': {} } },
      {},
      { server_keys: { a: { b: { minimum_valid_until_ts: -1 } } } },
    ])
      expect((await server.request('POST', query, { body: bad })).status).toBe(400);
    expect(refusal(await server.request('GET', `${query}/a%20b`))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('says who signs with a key that it was asked for, also where the server has two names', async () => {
    const localServers = localServersOfTests(['test', 'second.test']);
    const ring = await start({}, { localServers });
    const key = localServers.signingKeyOf('second.test');
    const wanted = [{ serverName: 'second.test' as ServerName, keyId: key.keyId, validAtTs: undefined }];
    expect((await ring.keyRing.find(wanted))('second.test', key.keyId)?.publicKey).toBe(key.publicKey);
  });
});
