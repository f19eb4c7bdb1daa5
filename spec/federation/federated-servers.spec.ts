import { describe, expect, it } from 'vitest';
import type { ServerName } from '../../src/matrix/ids/ids.ts';
import { useFederatedServers } from '../support/federated-servers.ts';
import { succeeded } from '../support/test-client.ts';

describe('servers of a test', () => {
  const servers = useFederatedServers(['one.test', 'two.test'], { isOnDisk: true });

  it('reach each other by name, until they are cut off, stopped or mended', async () => {
    const { federation } = servers.get('one.test').server;
    const ask = () =>
      federation.client.request({
        destination: 'two.test' as ServerName,
        method: 'GET',
        path: '/_matrix/federation/v1/version',
        isUrgent: true,
      });
    const answer = { server: { name: 'veche', version: expect.any(String) } };
    expect(await ask()).toEqual(answer);
    servers.cut('one.test', 'two.test');
    await expect(ask()).rejects.toMatchObject({ failure: 'unreachable' });
    servers.mend('two.test', 'one.test');
    expect(await ask()).toEqual(answer);
    await servers.stop('two.test');
    await expect(ask()).rejects.toMatchObject({ failure: 'unreachable' });
    await servers.restart('two.test');
    expect(await ask()).toEqual(answer);
  });

  it('keep their data and address when they are restarted', async () => {
    const alice = await servers.register('one.test', 'alice');
    expect(alice.userId).toBe('@alice:one.test');
    const before = servers.get('one.test').url;
    await servers.restart('one.test');
    expect(servers.get('one.test').url).toBe(before);
    expect(await succeeded(alice.get('/account/whoami'))).toMatchObject({ user_id: '@alice:one.test' });
  });
});
