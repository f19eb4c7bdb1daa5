import { describe, expect, it } from 'vitest';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { requestJson } from '../../support/test-server.ts';
import { succeeded, TestClient } from '../../support/test-client.ts';

describe('destinations, as administrators see them', () => {
  const servers = useFederatedServers(['one.test']);
  /** As an operator's tools ask: outside of the client-server API. */
  const ask = (
    { token }: TestClient,
    path: string,
    query: Readonly<Record<string, string>> = {},
    method: 'GET' | 'POST' = 'GET',
  ) => {
    const text = new URLSearchParams(query).toString();
    const body = method === 'GET' ? {} : { body: {} };
    return requestJson(servers.get('one.test').url, method, text === '' ? path : `${path}?${text}`, {
      ...(token === undefined ? {} : { token }),
      ...body,
    });
  };
  const base = '/_synapse/admin/v1/federation/destinations';

  it('are listed with how it goes with each, and can be tried again', async () => {
    const one = servers.get('one.test');
    const admin = await TestClient.registerAdministrator(one);
    const probe = (destination: string) =>
      one.server.federation.client.request({
        destination: destination as ServerName,
        method: 'GET',
        path: '/_matrix/federation/v1/version',
      });
    await expect(probe('nowhere.test')).rejects.toMatchObject({ name: 'FederationError' });
    const down = await succeeded(ask(admin, `${base}/nowhere.test`));
    expect(down).toEqual({
      destination: 'nowhere.test',
      retry_last_ts: expect.any(Number),
      retry_interval: expect.any(Number),
      failure_ts: expect.any(Number),
      last_successful_stream_ordering: null,
    });
    expect(down['retry_last_ts']).toBeGreaterThan(0);
    for (const order of ['destination', 'retry_last_ts', 'failure_ts', 'last_successful_stream_ordering'])
      expect(await succeeded(ask(admin, base, { order_by: order, dir: 'b' }))).toEqual({
        destinations: [down],
        total: 1,
      });
    const described = await succeeded(ask(admin, '/_veche/admin/v1/federation/destinations/nowhere.test'));
    expect(described).toMatchObject({ events_behind: 0, ms_behind: 0, failures: 1, last_error: expect.any(String) });
    expect(described['why']).toMatch(/^it cannot be reached \(.+\); it is tried again in \d+ s$/);
    expect(await succeeded(ask(admin, `${base}/nowhere.test/rooms`))).toEqual({ rooms: [], total: 0 });
    expect(await succeeded(ask(admin, `${base}/nowhere.test/reset_connection`, {}, 'POST'))).toEqual({});
    expect(await succeeded(ask(admin, `${base}/nowhere.test`))).toMatchObject({ retry_last_ts: 0, failure_ts: null });
    const again = await ask(admin, `${base}/nowhere.test/reset_connection`, {}, 'POST');
    expect([again.status, again.json['errcode']]).toEqual([400, 'M_UNKNOWN']);
  });

  it('are nobody else’s business, and unknown ones are not found', async () => {
    const admin = await TestClient.registerAdministrator(servers.get('one.test'));
    const alice = await servers.register('one.test', 'alice');
    expect((await ask(alice, base)).status).toBe(403);
    for (const path of [`${base}/never.test`, '/_veche/admin/v1/federation/destinations/never.test']) {
      const { status, json } = await ask(admin, path);
      expect([status, json['errcode']]).toEqual([404, 'M_NOT_FOUND']);
    }
  });
});
