/** https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { succeeded, type TestClient } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

describe('a new signing key', () => {
  const servers = useFederatedServers(['one.test', 'two.test', 'three.test'], { isOnDisk: true });
  const published = async (): Promise<JsonObject> =>
    (await requestJson(servers.get('one.test').url, 'GET', '/_matrix/key/v2/server')).json;
  const join = (user: TestClient, roomId: string) =>
    succeeded(user.call('POST', `/join/${encodeURIComponent(roomId)}?server_name=one.test`));
  const bodies = async (user: TestClient, roomId: string): Promise<readonly string[]> => {
    const path = `/rooms/${encodeURIComponent(roomId)}/messages`;
    const { chunk } = await succeeded(user.get(path, { dir: 'b', limit: '100' }));
    return (chunk as readonly { content: { body?: string } }[]).flatMap(({ content: { body } }) => body ?? []);
  };
  const sees = async (user: TestClient, roomId: string, body: string): Promise<void> => {
    await expect.poll(() => bodies(user, roomId), { timeout: 60_000, interval: 50 }).toContain(body);
  };

  it('signs from then on; what the old one signed is good for servers that know it and for those that do not', async () => {
    const alice = await servers.register('one.test', 'alice');
    const bob = await servers.register('two.test', 'bob');
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await join(bob, roomId);
    await alice.say(roomId, 'by the old key');
    await sees(bob, roomId, 'by the old key');
    const before = await published();
    const [oldKeyId] = Object.keys(before['verify_keys'] as JsonObject);

    const rotated = await servers.get('one.test').server.federation.ownKeys.rotate();
    expect(rotated.oldKeyId).toBe(oldKeyId);
    expect(rotated.keyId).not.toBe(oldKeyId);
    const after = await published();
    expect(Object.keys(after['verify_keys'] as JsonObject)).toEqual([rotated.keyId]);
    expect(after['old_verify_keys']).toEqual({
      [rotated.oldKeyId]: {
        key: (before['verify_keys'] as Record<string, JsonObject>)[rotated.oldKeyId]?.['key'],
        expired_ts: expect.any(Number) as number,
      },
    });
    expect(Object.keys((after['signatures'] as JsonObject)['one.test'] as JsonObject)).toEqual([rotated.keyId]);

    const eventId = await alice.say(roomId, 'by the new key');
    await sees(bob, roomId, 'by the new key');
    const { pdus } = await servers.get('two.test').server.federation.client.request({
      destination: 'one.test' as never,
      method: 'GET',
      path: `/_matrix/federation/v1/event/${encodeURIComponent(eventId)}`,
    });
    const [pdu] = pdus as readonly JsonObject[];
    expect(Object.keys((pdu!['signatures'] as JsonObject)['one.test'] as JsonObject)).toEqual([rotated.keyId]);

    const carol = await servers.register('three.test', 'carol');
    await join(carol, roomId);
    await sees(carol, roomId, 'by the old key');
    await carol.say(roomId, 'hello');
    await sees(alice, roomId, 'hello');

    await servers.restart('one.test');
    const again = await published();
    expect([again['verify_keys'], again['old_verify_keys']]).toEqual([after['verify_keys'], after['old_verify_keys']]);
    const second = await servers.get('one.test').server.federation.ownKeys.rotate();
    expect(Object.keys((await published())['old_verify_keys'] as JsonObject).toSorted()).toEqual(
      [rotated.oldKeyId, second.oldKeyId].toSorted(),
    );
    expect(second.oldKeyId).toBe(rotated.keyId);
  });
});
