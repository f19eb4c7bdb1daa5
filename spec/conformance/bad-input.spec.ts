/**
 * Every operation that clients and administrators call is sent what it must refuse, made from the specification's
 * definitions (bad-input/request-definitions.txt). Asserted are status and errcode, and that the world is as it was.
 */
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allEndpoints } from '../../src/http/all-endpoints.ts';
import { onPostgres } from '../support/databases.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { describeShared, sharedFolder } from '../support/shared.ts';
import {
  badRequests,
  type BadRequest,
  interactiveAuthentication,
  oddRequests,
  type Subject,
} from './bad-input/bad-requests.ts';
import { tolerated, type Tolerated } from './bad-input/known-answers.ts';
import { readRequestDefinitions, requestDefinitionsIn } from './bad-input/request-definitions.ts';
import { makeAdministrator, makeWorld, type World } from './bad-input/world.ts';

const definitions = readRequestDefinitions();
const subjects: readonly Subject[] = allEndpoints
  .filter(({ path }) => /^\/_(matrix\/client|matrix\/media|matrix\/media_proxy|synapse|veche)\//.test(path))
  .map((endpoint) => ({
    endpoint,
    definition: definitions.find(
      ({ operationId, path }) => operationId === endpoint.operationId && path === endpoint.path,
    ),
  }));
const titled = subjects.map((subject) => [`${subject.endpoint.method} ${subject.endpoint.path}`, subject] as const);

const listeners = {
  listeners: '[{ bind: 127.0.0.1, port: 0, serve: [client, media, admin] }]',
  // The scanner is never asked: nothing here gets as far as a file.
  media: '{ scanner: { clamd: /nonexistent/clamd.ctl } }',
};
let server: LoopbackServer;
let administrator: string;
let worlds = 0;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  server = await startLoopbackServer({ config: listeners });
  administrator = await makeAdministrator(server);
});
afterAll(async () => {
  agent.destroy();
  await server.close();
});

const newWorld = (): Promise<World> => makeWorld(server, String(worlds++), administrator);

describe('what must be refused', () => {
  const needed = new Set<Tolerated>();

  it.each(titled)('by %s', async (_title, subject) => {
    const world = await newWorld();
    const excuseOf = ({ what }: BadRequest): Tolerated | undefined =>
      tolerated.find((one) => one.operationId === subject.endpoint.operationId && one.what.test(what));
    const { strict = [], excused = [] } = Object.groupBy(badRequests(subject, world), (request) =>
      excuseOf(request) === undefined ? 'strict' : 'excused',
    );
    const before = await world.snapshot();
    const wrong: string[] = [];
    for (const request of strict) {
      const answer = await answerTo(server, subject, request);
      if (!isRefused(answer, request, subject)) wrong.push(sentence(request.what, answer));
    }
    expect(wrong).toEqual([]);
    expect(await world.snapshot()).toEqual(before);
    for (const request of excused) {
      const answer = await answerTo(server, subject, request);
      const excuse = excuseOf(request);
      if (!isRefused(answer, request, subject) && excuse !== undefined) needed.add(excuse);
      if (answer.status >= 500) wrong.push(sentence(request.what, answer));
    }
    expect(wrong).toEqual([]);
  });

  it('has no exception that is not needed', () => {
    expect(tolerated.filter((one) => !needed.has(one))).toEqual([]);
  });
});

describe('what is odd and harmless', () => {
  it.each(titled)('to %s', async (_title, subject) => {
    const world = await newWorld();
    const wrong: string[] = [];
    for (const request of oddRequests(subject, world)) {
      const answer = await answerTo(server, subject, request);
      if (answer.status >= 500) wrong.push(sentence(request.what, answer));
    }
    expect(wrong).toEqual([]);
  });
});

// PostgreSQL stores no NUL in texts, SQLite does.
onPostgres('texts with a NUL', (engine) => {
  it('harm no operation', async () => {
    const options = await engine.freshOptions();
    const onPostgresServer = await startLoopbackServer({
      config: listeners,
      ...(options.engine === 'postgres' ? { postgresUrl: options.url } : {}),
    });
    const itsAdministrator = await makeAdministrator(onPostgresServer);
    const wrong: string[] = [];
    let count = 0;
    let world = await makeWorld(onPostgresServer, '', itsAdministrator);
    for (const [index, subject] of subjects.entries()) {
      // What is odd may be done, and then a world is not what it was.
      if (index % 10 === 9) world = await makeWorld(onPostgresServer, String(index), itsAdministrator);
      for (const request of oddRequests(subject, world).filter(holdsNul)) {
        const answer = await answerTo(onPostgresServer, subject, request);
        count += 1;
        if (answer.status >= 500) wrong.push(`${subject.endpoint.operationId} ${sentence(request.what, answer)}`);
      }
    }
    await onPostgresServer.close();
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(200);
  }, 240_000);
});

const holdsNul = ({ target, body = '' }: Pick<BadRequest, 'target' | 'body'>): boolean =>
  target.includes('%00') || body.includes('\\u0000');

describeShared('the definitions', () => {
  it('are those of ../shared/matrix-spec: npm run conformance:update', () => {
    expect(requestDefinitionsIn(join(sharedFolder() ?? '', 'matrix-spec'))).toEqual(definitions);
  });
});

interface Answer {
  readonly status: number;
  readonly errcode: string;
  readonly text: string;
}

function answerTo(
  { url }: LoopbackServer,
  { endpoint: { method } }: Subject,
  { target, token, body }: Pick<BadRequest, 'target' | 'token' | 'body'>,
): Promise<Answer> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url + target, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, errcode: errcodeIn(text), text });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function errcodeIn(text: string): string {
  if (!text.startsWith('{')) return 'none';
  const { errcode, flows } = JSON.parse(text) as { readonly errcode?: unknown; readonly flows?: unknown };
  if (typeof errcode === 'string') return errcode;
  return Array.isArray(flows) ? interactiveAuthentication : 'none';
}

/** The answer to HEAD has no body for an errcode. */
const isRefused = ({ status, errcode }: Answer, request: BadRequest, { endpoint }: Subject): boolean =>
  request.status.includes(status) && (endpoint.method === 'HEAD' || request.errcodes.includes(errcode));

const sentence = (what: string, { status, text }: Answer): string => `${what}: ${status} ${text.slice(0, 200)}`;
