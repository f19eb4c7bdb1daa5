import { expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
const running = useLoopbackServer();

it('a sync that waits ends when its session does, and one of another session goes on', async () => {
  const body = { username: 'alice', password: 'a long password', auth: { type: 'm.login.dummy' } };
  const registered = await requestJson(running.url, 'POST', `${v3}/register`, { body });
  const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: body.password };
  const other = await requestJson(running.url, 'POST', `${v3}/login`, { body: login });
  const first = String(registered.json['access_token']);
  const second = String(other.json['access_token']);
  const since = (await requestJson(running.url, 'GET', `${v3}/sync`, { token: first })).json['next_batch'];
  const path = `${v3}/sync?timeout=60000&since=${String(since)}`;
  const waiting = [first, second].map((token) => requestJson(running.url, 'GET', path, { token }));
  await requestJson(running.url, 'POST', `${v3}/logout`, { token: first, body: {} });
  const [ended, going] = await Promise.all(waiting);
  expect([ended?.status, ended?.json['errcode']]).toEqual([401, 'M_UNKNOWN_TOKEN']);
  expect(going?.status).toBe(200);
});
