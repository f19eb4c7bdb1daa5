import { afterEach, describe, expect, it } from 'vitest';
import { startTestServer, type LogLine, type TestServer } from '../support/test-server.ts';
import { echoEndpoints, testAuthenticator } from './http-endpoints.ts';
import { Polls } from './listener-fixtures.ts';

let server: TestServer;
afterEach(() => server.close());

async function logOf(method: string, path: string, token: string, slowRequestMs: number): Promise<readonly LogLine[]> {
  const polls = new Polls();
  polls.release();
  server = await startTestServer({
    endpoints: [...echoEndpoints, polls.endpoint],
    domain: {},
    auth: testAuthenticator,
    limits: { slowRequestMs },
  });
  await server.request(method, path, { token, query: { secret: 'hidden' } });
  return server.logged;
}
const quick = 3_600_000;
const slow = -1;

describe('the log of requests', () => {
  it.each([
    ['a good request', 'POST', '/_matrix/client/v3/logout', 'alice', quick, 'debug', 'request'],
    ['nothing found', 'GET', '/_matrix/client/v3/nothing', 'alice', quick, 'debug', 'request'],
    ['an unknown token', 'POST', '/_matrix/client/v3/logout', 'mallory', quick, 'debug', 'request'],
    ['a bad request', 'PUT', '/_matrix/client/v3/profile/@a:b/displayname', 'alice', quick, 'info', 'request'],
    ['a forbidden one', 'GET', '/_synapse/admin/v1/echo', 'alice', quick, 'info', 'request'],
    ['a slow one', 'POST', '/_matrix/client/v3/logout', 'alice', slow, 'info', 'slow request'],
    ['a long poll', 'GET', '/_matrix/client/v3/poll', 'alice', slow, 'debug', 'request'],
  ])('has %s at its level', async (_what, method, path, token, slowMs, level, message) => {
    expect(await logOf(method, path, token, slowMs)).toEqual([
      { level, message, fields: expect.objectContaining({ method, requestId: expect.stringMatching(/^test-/) }) },
    ]);
  });

  it('holds no token, no query and no path', async () => {
    const lines = JSON.stringify(await logOf('GET', '/_synapse/admin/v1/echo', 'alice', slow));
    for (const secret of ['alice', 'hidden', 'echo?', 'secret']) expect(lines).not.toContain(secret);
  });
});
