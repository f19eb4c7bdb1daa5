/**
 * Every path that the specification gives to clients, served or not, and every path of ours beside: pages of other origins
 * may ask and may read the answer, whatever it is. https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allEndpoints, type HttpDomain } from '../../src/http/all-endpoints.ts';
import type { Authenticator } from '../../src/http/auth/authenticator.ts';
import type { ServerAuthenticator } from '../../src/http/auth/server-authenticator.ts';
import { MatrixError } from '../../src/matrix/errors.ts';
import { correctedOperations } from '../../src/matrix/api/corrections.ts';
import { startTestServer, type TestRequest, type TestResponse, type TestServer } from '../support/test-server.ts';
import { testAuthenticator } from './http-endpoints.ts';

interface Place {
  readonly method: string;
  readonly path: string;
}

const ofClients = correctedOperations.filter(({ api }) => api === 'client-server');
const ours = allEndpoints.flatMap(({ method, path, alsoAt = [] }) =>
  [path, ...alsoAt].map((at) => ({ method, path: at })),
);
/** Without HEAD, whose answers nobody reads but in headers: its paths have other methods too. */
const places: readonly Place[] = [...ofClients, ...ours]
  .filter(({ method }) => method !== 'HEAD')
  .filter(({ path }) => !['/', '/metrics', '/health', '/health/live', '/health/ready'].includes(path))
  .map(({ method, path }) => ({ method, path: path.trim().replaceAll(/\{\w+\}/g, 'x') }));

/** What logic has run: a look at a token, or at anything of the domain, which has nothing. */
const logic: string[] = [];
const domain = new Proxy({} as HttpDomain, {
  get(_target, name) {
    logic.push(String(name));
    throw new Error('nothing is here');
  },
});
const auth: Authenticator = {
  authenticate: (token, options) => {
    logic.push('authenticate');
    return testAuthenticator.authenticate(token, options);
  },
  isCurrent: () => false,
};

const unsigned = (): never => {
  throw new MatrixError(401, 'M_UNAUTHORIZED', 'nobody has signed');
};
const servers: ServerAuthenticator = {
  claim: unsigned,
  loadKeys: unsigned,
  assertSigned: unsigned,
  confirm: unsigned,
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ endpoints: allEndpoints, domain, auth, servers });
});
afterAll(() => server.close());

const expected = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
};
/** Of files more is allowed, and these are the paths of files. */
const expectedOfFiles = {
  ...expected,
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization, Range, If-Range',
};
const expectedAt = (path: string): Readonly<Record<string, string>> =>
  /^\/_matrix\/(client\/v1\/)?media(_proxy)?\//.test(path) ? expectedOfFiles : expected;
const hasCors = ({ headers }: TestResponse, path: string): boolean =>
  Object.entries(expectedAt(path)).every(([name, value]) => headers.get(name)?.startsWith(value) === true);

/** Asks everywhere and gives what was answered otherwise than `right` says. */
async function wrongAnswers(
  ask: (place: Place) => Promise<TestResponse>,
  right: (reply: TestResponse) => boolean,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const place of places) {
    const reply = await ask(place);
    if (!hasCors(reply, place.path) || !right(reply)) wrong.push(`${place.method} ${place.path}: ${reply.status}`);
  }
  return wrong;
}

describe('every path of the API', () => {
  it('is one of many', () => {
    expect(new Set(places.map(({ path }) => path)).size).toBeGreaterThan(120);
    expect(places.length).toBeGreaterThan(ours.length);
  });

  it('answers OPTIONS and runs nothing', async () => {
    logic.length = 0;
    const origin = 'https://app.example';
    const ask = ({ method, path }: Place): Promise<TestResponse> =>
      server.request('OPTIONS', path, {
        token: 'alice',
        headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
      });
    expect(await wrongAnswers(ask, ({ status, text }) => status === 204 && text === '')).toEqual([]);
    expect(logic).toEqual([]);
  });

  it.each<[string, Pick<TestRequest, 'token'>]>([
    ['without a token', {}],
    ['with an unknown token', { token: 'mallory' }],
    ['with a token', { token: 'alice' }],
    ["with an administrator's", { token: 'admin' }],
  ])('lets its answer be read %s', async (_who, request) => {
    const ask = ({ method, path }: Place): Promise<TestResponse> =>
      server.request(method, path, method === 'GET' ? request : { ...request, body: {} });
    expect(await wrongAnswers(ask, ({ text }) => text !== '')).toEqual([]);
  });

  it('lets be read that it knows no such method', async () => {
    const ask = ({ path }: Place): Promise<TestResponse> => server.request('PROPFIND', path);
    const right = ({ status, json }: TestResponse): boolean =>
      (status === 405 || status === 404) && json['errcode'] === 'M_UNRECOGNIZED';
    expect(await wrongAnswers(ask, right)).toEqual([]);
  });
});
