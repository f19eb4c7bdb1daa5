/** Whole servers: what one of them says the other's users read. */
import { describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import type { TestClient } from '../../support/test-client.ts';

const patient = { timeout: 40_000, interval: 100 };

describe('two servers', () => {
  const servers = useFederatedServers(['one.test', 'two.test'], { isOnDisk: true });

  const meet = async () => {
    const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    expect((await bob.post(`/join/${roomId}?via=one.test`)).status).toBe(200);
    return { alice, bob, roomId };
  };
  const texts = async (who: TestClient, roomId: string): Promise<unknown[]> => {
    const { json } = await who.get(`/rooms/${roomId}/messages`, { dir: 'b', limit: '100' });
    const events = json['chunk'] as readonly JsonObject[];
    const messages = events.filter(({ type }) => type === 'm.room.message');
    return messages.map(({ content }) => (content as JsonObject)['body']).toReversed();
  };

  it('bring each other what is said', { timeout: 60_000 }, async () => {
    const { alice, bob, roomId } = await meet();
    for (const text of ['one', 'two', 'three']) await alice.say(roomId, text);
    await vi.waitUntil(async () => (await texts(bob, roomId)).length === 3, patient);
    await bob.say(roomId, 'four');
    await vi.waitUntil(async () => (await texts(alice, roomId)).length === 4, patient);
    const all = ['one', 'two', 'three', 'four'];
    expect([await texts(alice, roomId), await texts(bob, roomId)]).toEqual([all, all]);
  });

  it('catch up on what was said while they were cut off or down', { timeout: 120_000 }, async () => {
    const { alice, bob, roomId } = await meet();
    servers.cut('one.test', 'two.test');
    await alice.say(roomId, 'of alice');
    await bob.say(roomId, 'of bob');
    servers.mend('one.test', 'two.test');
    servers.leap(2 * limits.federationRetryMsMax);
    await vi.waitUntil(async () => (await texts(bob, roomId)).length === 2, patient);
    await vi.waitUntil(async () => (await texts(alice, roomId)).length === 2, patient);
    await servers.stop('two.test');
    await alice.say(roomId, 'nobody there');
    await servers.restart('two.test');
    servers.leap(2 * limits.federationRetryMsMax);
    const again = bob;
    await vi.waitUntil(async () => (await texts(again, roomId)).includes('nobody there'), patient);
    expect(new Set(await texts(again, roomId))).toEqual(new Set(['of alice', 'of bob', 'nobody there']));
  });
});
