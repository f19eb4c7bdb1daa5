import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { TestClient, roomPath } from '../../support/test-client.ts';
import { SlidingClient } from './support/sliding-client.ts';

describe('filters of sliding sync', () => {
  const server = useLoopbackServer();

  it('choose rooms by what they are, and follow what changes', async () => {
    const [alice, bob] = [await TestClient.register(server, 'alice'), await TestClient.register(server, 'bob')];
    const plain = await alice.createRoom({ preset: 'public_chat', name: 'Plain' });
    const space = await alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' } });
    const invited = await bob.createRoom({ preset: 'public_chat', invite: [alice.userId] });
    const user = `/user/${encodeURIComponent(alice.userId)}`;
    const sliding = new SlidingClient(server, alice);
    const chosen = async (filters: JsonObject): Promise<string[]> => {
      const list = { ranges: [[0, 9]], timeline_limit: 1, required_state: [], filters };
      const { rooms, lists } = await sliding.next({ lists: { some: list } }, { pos: undefined });
      expect(lists['some']?.count).toBe(Object.keys(rooms).length);
      return Object.keys(rooms);
    };
    expect(await chosen({ is_invite: true })).toEqual([invited]);
    expect(await chosen({ is_invite: false })).toEqual([space, plain]);
    expect(await chosen({ room_types: ['m.space'] })).toEqual([space]);
    expect(await chosen({ not_room_types: ['m.space'], is_invite: false })).toEqual([plain]);
    expect(await chosen({ room_name_like: 'lai' })).toEqual([plain]);
    expect(await chosen({ is_encrypted: true })).toEqual([]);
    await alice.setState(plain, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    expect(await chosen({ is_encrypted: true })).toEqual([plain]);
    expect(await chosen({ tags: ['m.favourite'] })).toEqual([]);
    await alice.put(`${user}${roomPath(plain)}/tags/m.favourite`, { order: 0.5 });
    expect(await chosen({ tags: ['m.favourite'] })).toEqual([plain]);
    expect(await chosen({ not_tags: ['m.favourite'], is_invite: false })).toEqual([space]);
    expect(await chosen({ is_dm: true })).toEqual([]);
    await alice.put(`${user}/account_data/m.direct`, { [bob.userId]: [plain] });
    expect(await chosen({ is_dm: true })).toEqual([plain]);
    expect(await chosen({ spaces: [space] })).toEqual([]);
    await alice.setState(space, 'm.space.child', { via: ['localhost'] }, plain);
    expect(await chosen({ spaces: [space] })).toEqual([plain]);
  });
});
