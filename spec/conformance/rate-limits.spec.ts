import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allEndpoints } from '../../src/http/all-endpoints.ts';
import type { RateLimitClass } from '../../src/http/endpoint.ts';
import { TokenBuckets } from '../../src/http/rate-limiter.ts';
import { correctedOperations } from '../../src/matrix/api/corrections.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../support/test-accounts.ts';
import { testPorts } from '../support/test-ports.ts';
import { requestJson, type TestRequest, type TestResponse } from '../support/test-server.ts';
import { makeAdministrator } from './bad-input/world.ts';
import { unlimitedOperations } from './unlimited-operations.ts';

describe('the classes of operations', () => {
  const classless = allEndpoints.filter(({ rateLimit }) => rateLimit === 'none').map(({ operationId }) => operationId);

  it('are there for all that the specification marks as limited', () => {
    const limited = new Set(
      correctedOperations
        .filter(({ rateLimited }) => rateLimited)
        .map(({ method, path, operationId }) => `${method} ${path} ${operationId}`),
    );
    const without = allEndpoints.filter(
      ({ method, path, operationId, rateLimit }) =>
        rateLimit === 'none' && limited.has(`${method} ${path} ${operationId}`),
    );
    expect(without.map(({ operationId }) => operationId)).toEqual([]);
  });

  it('are there for all others too, but for those that unlimited-operations.ts names with a reason', () => {
    expect(classless.toSorted()).toEqual(Object.keys(unlimitedOperations).toSorted());
  });

  it('are never shared by what others notice and what only reads', () => {
    const noticed = allEndpoints.filter(
      ({ method, operationId, rateLimit }) => method !== 'GET' && rateLimit === 'read' && !readsByPost.has(operationId),
    );
    expect(noticed.map(({ operationId }) => operationId)).toEqual([]);
  });
});

/** Questions that come as POST, what the clients' own keeping up needs, and what LiveKit tells with its signature. */
const readsByPost: ReadonlySet<string> = new Set([
  'postDehydratedDeviceEvents',
  'refresh',
  'sfuWebhook',
  'queryPublicRooms',
  'searchUserDirectory',
  'search',
  'queryKeys',
  'bulkPerspectivesKeyQuery',
  'slidingSync',
  'slidingSyncUnstable',
]);

describe('the defaults', () => {
  it('let a client open 300 rooms', async () => {
    const { rateLimits } = loadConfig(undefined, {});
    const ports = testPorts();
    const buckets = new TokenBuckets(rateLimits, ports.clock);
    const calls = (rateClass: Exclude<RateLimitClass, 'none'>, count: number): number =>
      Array.from({ length: count }, () => buckets.take(rateClass, 'user', '@a:b')).filter((retryMs) => retryMs > 0)
        .length;
    // Versions, capabilities, push rules, a filter, the first sync; then of each room its members, the latest messages and
    // the threads, and everything is marked as read.
    expect(calls('read', 20) + calls('account', 10)).toBe(0);
    expect(calls('read', 3 * 300) + calls('signal', 300)).toBe(0);
    // Then somebody writes quickly in all of them for a minute, typing and reading as it goes.
    for (let second = 0; second < 60; second++) {
      await ports.advance(1_000);
      expect(calls('send', 5) + calls('signal', 15) + calls('read', 30)).toBe(0);
    }
  });
});

describe('a server with limits', () => {
  let running: LoopbackServer;
  let administrator: string;
  const slow = '{ per_second: 0.001, burst: 3 }';
  beforeAll(async () => {
    running = await startLoopbackServer({
      config: {
        rate_limits: `{ send: ${slow}, unknown_tokens: ${slow}, create: ${slow}, register: { per_second: 1, burst: 100 } }`,
      },
    });
    administrator = await makeAdministrator(running);
  });
  afterAll(() => running.close());

  const v3 = '/_matrix/client/v3';
  const call = (method: string, path: string, request: TestRequest): Promise<TestResponse> =>
    requestJson(running.url, method, v3 + path, request);
  const times = async (count: number, once: (index: number) => Promise<TestResponse>): Promise<TestResponse[]> => {
    const answers: TestResponse[] = [];
    for (let index = 0; index < count; index++) answers.push(await once(index));
    return answers;
  };
  const statuses = (answers: readonly TestResponse[]): readonly number[] => answers.map(({ status }) => status);
  const register = async (username: string): Promise<string> => {
    const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
    return String((await call('POST', '/register', { body })).json['access_token']);
  };

  it('says 429 and when to come back, to one user and nobody else, and never to administrators', async () => {
    const [alice, bob] = [await register('alice'), await register('bob')];
    const make = (token: string) => () => call('POST', '/createRoom', { token, body: {} });
    const ofAlice = await times(4, make(alice));
    expect(statuses(ofAlice)).toEqual([200, 200, 200, 429]);
    const [refused] = ofAlice.slice(-1);
    const waitMs = Number(refused?.json['retry_after_ms']);
    expect(refused?.json['errcode']).toBe('M_LIMIT_EXCEEDED');
    expect(waitMs).toBeGreaterThan(0);
    expect(refused?.headers.get('retry-after')).toBe(String(Math.ceil(waitMs / 1000)));
    expect(statuses(await times(3, make(bob)))).toEqual([200, 200, 200]);
    expect(statuses(await times(10, make(administrator)))).toEqual(Array.from({ length: 10 }, () => 200));
  });

  it('counts sending by user and over all devices, and lets what is refused leave no trace', async () => {
    const token = await register('carol');
    const identifier = { type: 'm.id.user', user: 'carol' };
    const login = { type: 'm.login.password', identifier, password: passwordOfTests };
    const other = String((await call('POST', '/login', { body: login })).json['access_token']);
    const room = encodeURIComponent(String((await call('POST', '/createRoom', { token, body: {} })).json['room_id']));
    const send = (index: number) =>
      call('PUT', `/rooms/${room}/send/m.room.message/${index}`, {
        token: index % 2 === 0 ? token : other,
        body: { msgtype: 'm.text', body: `${index}` },
      });
    expect(statuses(await times(5, send))).toEqual([200, 200, 200, 429, 429]);
    const { json } = await call('GET', `/rooms/${room}/messages?dir=b&limit=100`, { token });
    const said = (json['chunk'] as { type: string }[]).filter(({ type }) => type === 'm.room.message');
    expect(said).toHaveLength(3);
  });

  it('counts unknown tokens by address, and holds nobody up who has one', async () => {
    const token = await register('dora');
    const guess = () => call('GET', '/account/whoami', { token: 'guess' });
    expect(statuses(await times(5, guess))).toEqual([401, 401, 401, 429, 429]);
    expect((await call('GET', '/account/whoami', { token })).status).toBe(200);
    expect(refusal(await call('GET', '/account/whoami', {}))).toEqual([401, 'M_MISSING_TOKEN']);
  });
});
