import { expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient } from '../../support/test-client.ts';

const running = useLoopbackServer();

it('a server without other networks knows no protocols, and nobody and nothing that lives there', async () => {
  const alice = await TestClient.register(running, 'alice');
  const protocols = await alice.get('/thirdparty/protocols');
  expect([protocols.status, protocols.text]).toEqual([200, '{}']);
  for (const path of ['protocol/irc', 'location/irc', 'user/irc?nickname=somebody'])
    expect(refusal(await alice.get(`/thirdparty/${path}`)), path).toEqual([404, 'M_NOT_FOUND']);
  const location = await alice.get('/thirdparty/location', { alias: '#room:localhost' });
  expect([location.status, location.text]).toEqual([200, '[]']);
  const user = await alice.get('/thirdparty/user', { userid: alice.userId });
  expect([user.status, user.text]).toEqual([200, '[]']);
});

it('refuses what is no alias, no user ID, and who is not logged in', async () => {
  const alice = await TestClient.register(running, 'alice');
  for (const path of ['location', 'user'])
    expect(refusal(await alice.get(`/thirdparty/${path}`)), path).toEqual([400, 'M_MISSING_PARAM']);
  expect(refusal(await alice.get('/thirdparty/location?alias=room'))).toEqual([400, 'M_INVALID_PARAM']);
  expect(refusal(await alice.get('/thirdparty/user?userid=alice'))).toEqual([400, 'M_INVALID_PARAM']);
  expect(refusal(await TestClient.nobody(running).call('GET', '/thirdparty/protocols'))).toEqual([
    401,
    'M_MISSING_TOKEN',
  ]);
});
