import { describe, expect, it } from 'vitest';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { succeeded } from '../../support/test-client.ts';

describe('smoke', () => {
  const servers = useFederatedServers(['one.test', 'two.test'], { isOnDisk: true });
  it('joins', async () => {
    const alice = await servers.register('one.test', 'alice');
    const carol = await servers.register('one.test', 'carol');
    const bob = await servers.register('two.test', 'bob');
    const roomId = await alice.createRoom({ preset: 'public_chat', name: 'x' });
    await succeeded(carol.post(`/join/${encodeURIComponent(roomId)}`));
    await succeeded(bob.post(`/join/${encodeURIComponent(roomId)}?server_name=one.test`));
    const members = await succeeded(bob.get(`/rooms/${encodeURIComponent(roomId)}/joined_members`));
    expect(Object.keys(members['joined'] as object).toSorted()).toEqual([
      '@alice:one.test',
      '@bob:two.test',
      '@carol:one.test',
    ]);
    console.log(servers.passed.map((p) => `${p.from} ${p.method} ${p.uri} ${p.status}`).join('\n'));
  });
});
