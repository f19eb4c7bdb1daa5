import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { echoEndpoints, sendEcho, testAuthenticator } from './http-endpoints.ts';

/** Every request must be answered alike by the table of hot routes and by express. */
describe.each([
  ['the table of hot routes', new Set(echoEndpoints.map(({ operationId }) => operationId))],
  ['express', new Set<string>()],
])('requests answered through %s', (_title, hotOperations) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ endpoints: echoEndpoints, domain: {}, auth: testAuthenticator, hotOperations });
  });
  afterAll(() => server.close());

  it('decodes path, query and body, and knows the requester', async () => {
    const path = '/_matrix/client/v3/rooms/!a:b/send/m.room.message/t1?ts=5';
    const reply = await server.request('PUT', path, { token: 'alice', body: { body: 'hi', count: 2 } });
    expect(reply.status).toBe(200);
    expect(reply.json).toEqual({
      roomId: '!a:b',
      eventType: 'm.room.message',
      txnId: 't1',
      ts: 5,
      body: 'hi',
      count: 2,
      sender: '@alice:localhost',
    });
    expect(reply.headers.get('content-type')).toBe('application/json');
    expect(reply.headers.get('content-length')).toBe(String(Buffer.byteLength(reply.text)));
    expect(reply.headers.get('etag')).toBeNull();
    expect(reply.headers.get('x-powered-by')).toBeNull();
  });

  it.each([
    ['/_matrix/client/v3/rooms/%21a%3Ab/state/m.room.name/', '!a:b', 'm.room.name', ''],
    ['/_matrix/client/v3/rooms/!a:b/state/m.room.name', '!a:b', 'm.room.name', ''],
    ['/_matrix/client/v3/rooms/!a:b/state/m.room.member/%40u%3Ah', '!a:b', 'm.room.member', '@u:h'],
    ['/_matrix/client/v3/rooms/!a:b/state/m.room.member/@u:h/', '!a:b', 'm.room.member', '@u:h'],
    ['/_matrix/client/v3/rooms/!a:b/state/org.x/a%2Fb%2F', '!a:b', 'org.x', 'a/b/'],
    ['/_matrix/client/v3/rooms/!a:b/state/org.x/%25%20+', '!a:b', 'org.x', '% +'],
    ['/_matrix/client/v3/rooms/!a:b/state/org.x/%D0%B2%D1%96%D1%87%D0%B5', '!a:b', 'org.x', 'віче'],
    ['/_matrix/client/v3/rooms/!a:b/state/__proto__/constructor', '!a:b', '__proto__', 'constructor'],
  ])('reads %s', async (path, roomId, eventType, stateKey) => {
    const reply = await server.request('GET', path);
    expect(reply.json).toEqual({ roomId, eventType, stateKey, via: [] });
  });

  it.each(['%FF', '%', '%2', '%zz', '%C3%28'])('refuses the malformed escape %s in a path', async (escape) => {
    const reply = await server.request('GET', `/_matrix/client/v3/rooms/!a:b/state/org.x/${escape}`);
    expect([reply.status, reply.json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
  });

  it.each(['one=%FF', 'via=%', 'unknown=%2'])('refuses the malformed escape in the query %s', async (query) => {
    const reply = await server.request('GET', `/_matrix/client/v3/rooms/!a:b/state/org.x?${query}`);
    expect([reply.status, reply.json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('gives all values of a repeated name to a list and the first one to anything else', async () => {
    const path = '/_matrix/client/v3/rooms/!a:b/state/org.x?via=a&via=b%26c&one=1+1&one=2&';
    const { json } = await server.request('GET', path);
    expect([json.via, json.one]).toEqual([['a', 'b&c'], '1 1']);
  });

  it('prefers literal segments to parameters, whatever the order of the endpoints, method by method', async () => {
    const path = '/_matrix/client/v3/profile/@u:h/displayname';
    expect((await server.request('GET', path)).json).toEqual({ userId: '@u:h', keyName: 'displayname' });
    const put = await server.request('PUT', path, { body: { displayname: 'U' } });
    expect(put.json).toEqual({ userId: '@u:h', displayname: 'U' });
  });

  it.each([
    ['GET', '/_matrix/client/v3/nothing'],
    ['POST', '/_matrix/client/v3/rooms/!a:b/send/m.room.message'],
    ['GET', '/_matrix/client/v3/rooms//state/m.room.name'],
    ['GET', '/_matrix/Client/v3/failing'],
    ['GET', '/_matrix/federation/v1/unknown'],
    ['GET', '/_matrix/key/v2/unknown'],
    ['GET', '/_matrix/unknown'],
    ['GET', '/_matrix/client/v3/%FF'],
    ['GET', '/favicon.ico'],
  ])('does not recognize %s %s', async (method, path) => {
    const reply = await server.request(method, path);
    expect([reply.status, reply.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
  });

  it('answers another method on a known path with 405 and the methods that the path has', async () => {
    const reply = await server.request('PATCH', '/_matrix/client/v3/profile/@u:h/displayname');
    expect([reply.status, reply.json.errcode]).toEqual([405, 'M_UNRECOGNIZED']);
    expect(reply.headers.get('allow')).toBe('GET, PUT, OPTIONS');
  });

  it('answers HEAD like GET, without the body', async () => {
    const reply = await server.request('HEAD', '/_matrix/client/v3/rooms/!a:b/state/org.x');
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect(Number(reply.headers.get('content-length'))).toBeGreaterThan(2);
  });

  describe('authentication', () => {
    const path = '/_matrix/client/v3/rooms/!a:b/send/m.room.message/t1';
    const body = { body: 'hi' };
    it.each([
      ['no token', {}, 'M_MISSING_TOKEN', undefined],
      ['another scheme', { headers: { authorization: 'Basic YTpi' } }, 'M_MISSING_TOKEN', undefined],
      ['an empty token', { headers: { authorization: 'Bearer ' } }, 'M_MISSING_TOKEN', undefined],
      ['an empty token in the query', { query: { access_token: '' } }, 'M_MISSING_TOKEN', undefined],
      ['an unknown token', { token: 'mallory' }, 'M_UNKNOWN_TOKEN', undefined],
      ['an expired token', { token: 'expired' }, 'M_UNKNOWN_TOKEN', true],
      ['a locked account', { token: 'locked' }, 'M_USER_LOCKED', true],
    ])('refuses %s', async (_what, given, errcode, softLogout) => {
      const reply = await server.request('PUT', path, { body, ...given });
      expect([reply.status, reply.json.errcode, reply.json.soft_logout]).toEqual([401, errcode, softLogout]);
    });

    it('takes the token from the header in any case, and from the query', async () => {
      const byHeader = await server.request('PUT', path, { body, headers: { Authorization: 'bearer alice' } });
      const byQuery = await server.request('PUT', path, { body, query: { access_token: 'alice' } });
      expect([byHeader.json.sender, byQuery.json.sender]).toEqual(['@alice:localhost', '@alice:localhost']);
    });

    it('checks a token before it reads the body', async () => {
      const reply = await server.request('PUT', path, { token: 'mallory', rawBody: 'not json' });
      expect([reply.status, reply.json.errcode]).toEqual([401, 'M_UNKNOWN_TOKEN']);
    });

    it('checks an optional token only when there is one', async () => {
      const path = '/_matrix/client/v3/profile/@u:h/x';
      expect((await server.request('GET', path)).json.asker).toBeUndefined();
      expect((await server.request('GET', path, { token: 'alice' })).json.asker).toBe('@alice:localhost');
      expect((await server.request('GET', path, { token: 'mallory' })).json.errcode).toBe('M_UNKNOWN_TOKEN');
    });

    it('lets a locked account log out, and administrators alone into administration', async () => {
      expect((await server.request('POST', '/_matrix/client/v3/logout', { token: 'locked' })).status).toBe(200);
      const admin = '/_synapse/admin/v1/echo';
      expect((await server.request('GET', admin)).json.errcode).toBe('M_MISSING_TOKEN');
      const refused = await server.request('GET', admin, { token: 'alice' });
      expect([refused.status, refused.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
      expect((await server.request('GET', admin, { token: 'admin' })).status).toBe(200);
    });
  });

  it('says nothing about its own failures but an id, under which the log has the error', async () => {
    const reply = await server.request('GET', '/_matrix/client/v3/failing');
    expect([reply.status, reply.json.errcode]).toEqual([500, 'M_UNKNOWN']);
    expect(reply.text).not.toContain('secret detail');
    const line = server.logged.find(({ level }) => level === 'error');
    const requestId = String(line && 'requestId' in line.fields ? line.fields.requestId : '');
    expect(requestId).not.toBe('');
    expect(reply.json.error).toContain(requestId);
    expect(line?.fields).toMatchObject({ operationId: 'failing', err: { message: 'secret detail' } });
  });

  it('counts every answered request by its operation', async () => {
    const before = server.answered.length;
    await server.request('POST', '/_matrix/client/v3/logout', { token: 'alice' });
    await server.request('GET', '/_matrix/client/v3/nothing');
    await server.request('OPTIONS', '/_matrix/client/v3/nothing');
    expect(server.answered.slice(before)).toEqual([
      { operationId: 'logout', status: 200 },
      { operationId: 'unrecognized', status: 404 },
      { operationId: 'preflight', status: 204 },
    ]);
  });
});

describe('endpoints that cannot be served', () => {
  it.each([
    ['two at one place', [sendEcho, { ...sendEcho, operationId: 'other' }], 'Two endpoints answer PUT'],
    ['an early parameter', [{ ...sendEcho, path: '/_matrix/client/{version}/x' }], 'among its first four segments'],
    ['a signed one', [{ ...sendEcho, auth: 'serverSignature' as const }], 'somebody who verifies their signatures'],
  ])('are refused at the start: %s', async (_what, endpoints, sentence) => {
    await expect(startTestServer({ endpoints, domain: {} })).rejects.toThrow(sentence);
  });
});
