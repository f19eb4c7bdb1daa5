import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { createServer, type Server } from '../../../src/server.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
let folder: string;
let server: Server;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veche-ended-session-'));
  const configFile = join(folder, 'config.yaml');
  writeFileSync(
    configFile,
    [
      `data_dir: ${join(folder, 'data')}`,
      'registration: { enabled: true }',
      'password: { argon2: { memory_kib: 8, passes: 1 } }',
      'rate_limits: { enabled: false }',
      'log: { level: silent }',
      'listeners: [{ bind: 127.0.0.1, port: 0, serve: [client] }]',
    ].join('\n'),
  );
  server = await createServer(loadConfig(configFile, {}), { sqlitePath: ':memory:' });
  url = `http://127.0.0.1:${server.addresses[0]?.port}`;
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

it('a sync that waits ends when its session does, and one of another session goes on', async () => {
  const body = { username: 'alice', password: 'a long password', auth: { type: 'm.login.dummy' } };
  const registered = await requestJson(url, 'POST', `${v3}/register`, { body });
  const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: body.password };
  const other = await requestJson(url, 'POST', `${v3}/login`, { body: login });
  const first = String(registered.json['access_token']);
  const second = String(other.json['access_token']);
  const since = (await requestJson(url, 'GET', `${v3}/sync`, { token: first })).json['next_batch'];
  const path = `${v3}/sync?timeout=60000&since=${String(since)}`;
  const waiting = [first, second].map((token) => requestJson(url, 'GET', path, { token }));
  await requestJson(url, 'POST', `${v3}/logout`, { token: first, body: {} });
  const [ended, going] = await Promise.all(waiting);
  expect([ended?.status, ended?.json['errcode']]).toEqual([401, 'M_UNKNOWN_TOKEN']);
  expect(going?.status).toBe(200);
});
