import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defineRawEndpoint } from '../../../../src/http/endpoint.ts';
import { LocalBlobStore } from '../../../../src/media/local-blob-store.ts';
import { openRawConnection } from '../../../support/raw-connection.ts';
import { testPorts } from '../../../support/test-ports.ts';
import { startTestServer, type TestServer } from '../../../support/test-server.ts';
import { testAuthenticator } from '../../http-endpoints.ts';

let folder: string;
let store: LocalBlobStore;
let server: TestServer;
const failures: string[] = [];

const receive = defineRawEndpoint({
  operationId: 'uploadContent',
  method: 'POST',
  path: '/_matrix/media/v3/upload',
  auth: 'accessToken',
  rateLimit: 'none',
  params: {},
  query: {},
  async handle({ body }, domain: { readonly store: LocalBlobStore }) {
    const partial = await domain.store.begin('one');
    try {
      for await (const chunk of body.chunks()) await partial.append(chunk);
      const { sizeBytes } = await partial.seal();
      return { json: { received: sizeBytes } };
    } catch (error) {
      failures.push(error instanceof Error ? error.name : String(error));
      throw error;
    } finally {
      await partial.discard();
    }
  },
});

beforeEach(async () => {
  failures.length = 0;
  folder = mkdtempSync(join(tmpdir(), 'veche-slow-'));
  store = await LocalBlobStore.open(folder, testPorts());
  server = await startTestServer({
    endpoints: [receive],
    domain: { store },
    auth: testAuthenticator,
    limits: { transferIdleMs: 300 },
  });
});
afterEach(async () => {
  await server.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const head = (length: number): string =>
  `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
const unfinished = (): string[] => readdirSync(join(folder, 'partial'));

it('who sends nothing for a while is cut off, and nothing is left', async () => {
  const connection = openRawConnection(server.port);
  connection.send(`${head(100)}half`);
  await vi.waitUntil(() => unfinished().length === 1, { timeout: 30_000 });
  await connection.ended();
  await vi.waitUntil(() => unfinished().length === 0, { timeout: 30_000 });
  expect(failures).toEqual(['ClientGone']);
});
