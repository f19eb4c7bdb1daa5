import { expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { KeyDevice } from '../../encryption/support/key-device.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { alice, eve, far, FarRoom, near, other } from '../receive/support/far-room.ts';
import { ResidentPeer } from './support/resident-peer.ts';

const wait = { timeout: 60_000, interval: 20 };

/** https://spec.matrix.org/v1.19/server-server-api/#device-management */
describeOnBothEngines('device lists of a room whose members are not known yet', (engine) => {
  const servers = useFederatedServers([near], {
    engine,
    isOnDisk: true,
    config: { federation: '{ device_names: true }' },
  });

  const roomOfFar = (): FarRoom => {
    const room = new FarRoom('11');
    room.add({ type: 'm.room.create', stateKey: '', sender: alice, content: { room_version: '11' } });
    room.join(alice);
    room.add({ type: 'm.room.join_rules', stateKey: '', sender: alice, content: { join_rule: 'public' } });
    room.join(eve);
    for (let i = 0; i < 30; i++) room.join(`@member${i}:${far}` as UserId);
    return room;
  };
  const listsTold = (peer: ResidentPeer): (readonly unknown[])[] =>
    (peer.told.get('m.device_list_update') ?? []).map((told) => [told['user_id'], told['device_display_name']]);
  const rename = (device: KeyDevice, name: string): Promise<JsonObject> =>
    device.done('PUT', `/devices/${device.deviceId}`, { display_name: name });

  it('are told to every server that is said to be in it, and those of its members are news when they are known', async () => {
    const room = roomOfFar();
    const [peer, second] = [new ResidentPeer(servers.network, room), new ResidentPeer(servers.network, room, other)];
    peer.servers = [far, other];
    const bob = await KeyDevice.register(servers.get(near), 'bob');
    await bob.uploadKeys();
    await rename(bob, 'first');
    await bob.done('POST', `/join/${encodeURIComponent(room.roomId)}?server_name=${far}`, {});
    // Both are made to ask for the list.
    const both = [peer, second];
    for (const one of both) await vi.waitFor(() => expect(listsTold(one)).toContainEqual([bob.userId, 'first']), wait);
    await rename(bob, 'second');
    for (const one of both) await vi.waitFor(() => expect(listsTold(one)).toContainEqual([bob.userId, 'second']), wait);
    const { next_batch: since } = await bob.sync();
    // Who is a member cannot be known, so that nothing is kept of what others tell.
    await peer.tell(near, 'm.device_list_update', { user_id: eve, device_id: 'NEW', stream_id: 1, prev_id: [] });
    peer.tellStates();
    let named: readonly string[] = [];
    for (let from = since; named.length === 0;) {
      const { next_batch: next, device_lists: lists } = await bob.sync(from, 1_000);
      named = lists?.changed ?? [];
      from = next;
    }
    const members = Array.from({ length: 30 }, (_, i) => `@member${i}:${far}`);
    expect(new Set(named)).toEqual(new Set([alice, bob.userId, eve, ...members]));
    await rename(bob, 'third');
    for (const one of both) await vi.waitFor(() => expect(listsTold(one)).toContainEqual([bob.userId, 'third']), wait);
  });
});
