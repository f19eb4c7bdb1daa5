import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenBuckets } from '../../src/http/rate-limiter.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { startTestServer, type TestRequest, type TestServer } from '../support/test-server.ts';
import { echoEndpoints, testAuthenticator } from './http-endpoints.ts';

const send = '/_matrix/client/v3/rooms/!a:b/send/m.room.message/t1';

describe('bad bodies and parameters', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ endpoints: echoEndpoints, domain: {}, auth: testAuthenticator });
  });
  afterAll(() => server.close());

  const answerTo = async (request: TestRequest, path = send): Promise<unknown[]> => {
    const reply = await server.request('PUT', path, { token: 'alice', ...request });
    return [reply.status, reply.json.errcode];
  };

  it.each([
    ['not JSON', 'hello', 'M_NOT_JSON'],
    ['JSON with something behind it', '{"body":"a"} x', 'M_NOT_JSON'],
    ['a comment', '{/**/"body":"a"}', 'M_NOT_JSON'],
    ['a single quote', "{'body':'a'}", 'M_NOT_JSON'],
    ['an unfinished object', '{"body":"a"', 'M_NOT_JSON'],
    ['a form', 'body=a', 'M_NOT_JSON'],
    ['NaN', '{"body":NaN}', 'M_NOT_JSON'],
    ['a control character in a string', '{"body":"a\u0001"}', 'M_NOT_JSON'],
    ['text that is not UTF-8', Buffer.from('{"body":"\xff"}', 'latin1'), 'M_NOT_JSON'],
    ['a byte order mark', Buffer.from('\ufeff{"body":"a"}'), 'M_NOT_JSON'],
    ['an array', '[]', 'M_BAD_JSON'],
    ['null', 'null', 'M_BAD_JSON'],
    ['a string', '"body"', 'M_BAD_JSON'],
    ['a number for a string', '{"body":5}', 'M_BAD_JSON'],
    ['a string for a number', '{"body":"a","count":"5"}', 'M_BAD_JSON'],
    ['a float for an integer', '{"body":"a","count":1.5}', 'M_BAD_JSON'],
    ['an integer beyond 2^53', '{"body":"a","count":9007199254740992}', 'M_BAD_JSON'],
    ['a number beyond the range of a double', '{"body":"a","x":1e999}', 'M_BAD_JSON'],
    ['the same key twice', '{"body":"a","body":"b"}', 'M_BAD_JSON'],
    ['half of a surrogate pair', '{"body":"\\ud800"}', 'M_BAD_JSON'],
    ['a missing field', '{}', 'M_MISSING_PARAM'],
    ['no body where a field is needed', '', 'M_MISSING_PARAM'],
    ['a bomb of arrays', '['.repeat(100_000), 'M_BAD_JSON'],
    ['a bomb of closed arrays', `{"body":"a","x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'M_BAD_JSON'],
    ['a bomb of objects', `{"body":"a","x":${'{"a":'.repeat(100_000)}`, 'M_BAD_JSON'],
  ])('refuses %s', async (_what, rawBody, errcode) => {
    expect(await answerTo({ rawBody })).toEqual([400, errcode]);
  });

  it('does not mind what the content type says', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])
      expect(await answerTo({ rawBody: '{"body":"a"}', headers: { 'content-type': type } })).toEqual([200, undefined]);
  });

  it('takes no compressed body', async () => {
    for (const encoding of ['gzip', 'deflate', 'br'])
      expect(await answerTo({ rawBody: 'x', headers: { 'content-encoding': encoding } })).toEqual([415, 'M_NOT_JSON']);
    expect(await answerTo({ body: { body: 'a' }, headers: { 'content-encoding': 'identity' } })).toEqual([
      200,
      undefined,
    ]);
  });

  it.each(['x', '-1', '1.5', '', '1e3', '99999999999999999999'])('refuses the timestamp %j', async (ts) => {
    expect(await answerTo({ body: { body: 'a' }, query: { ts } })).toEqual([400, 'M_INVALID_PARAM']);
  });

  it("holds an endpoint's own limit, whatever framing the body has", async () => {
    const path = '/_matrix/client/v3/profile/@u:h/displayname';
    const fits = JSON.stringify({ displayname: 'x'.repeat(200 - '{"displayname":""}'.length) });
    expect(await answerTo({ rawBody: fits }, path)).toEqual([200, undefined]);
    expect(await answerTo({ rawBody: `${fits} ` }, path)).toEqual([413, 'M_TOO_LARGE']);
  });

  it('loses nothing of a body that comes in pieces, and of what is not ASCII', async () => {
    const text = 'Всім привіт 🌻'.repeat(20_000);
    const reply = await server.request('PUT', send, { token: 'alice', body: { body: text } });
    expect(reply.json.body).toBe(text);
  });

  it('treats __proto__ as data', async () => {
    const reply = await server.request('PUT', send, {
      token: 'alice',
      rawBody: '{"body":"a","__proto__":{"count":7}}',
    });
    expect([reply.status, reply.json.count]).toEqual([200, undefined]);
  });
});

describe('rate limits', () => {
  it('answers 429 with the time to wait, by user, and lets administrators pass', async () => {
    const rateLimiter = new TokenBuckets({ send: { perSecond: 0.01, burst: 2 } }, systemClock);
    const server = await startTestServer({
      endpoints: echoEndpoints,
      domain: {},
      auth: testAuthenticator,
      rateLimiter,
    });
    const statusOf = async (token: string): Promise<number> =>
      (await server.request('PUT', send, { token, body: { body: 'a' } })).status;
    expect([await statusOf('alice'), await statusOf('alice')]).toEqual([200, 200]);
    const refused = await server.request('PUT', send, { token: 'alice', rawBody: 'not even read' });
    expect([refused.status, refused.json.errcode]).toEqual([429, 'M_LIMIT_EXCEEDED']);
    const waitMs = Number(refused.json.retry_after_ms);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(100_000);
    expect(refused.headers.get('retry-after')).toBe(String(Math.ceil(waitMs / 1000)));
    expect(refused.headers.get('access-control-expose-headers')).toBe('Retry-After');
    expect([await statusOf('admin'), await statusOf('admin'), await statusOf('admin')]).toEqual([200, 200, 200]);
    await server.close();
  });
});
