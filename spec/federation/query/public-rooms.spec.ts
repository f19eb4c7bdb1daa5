import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';

describe('published rooms of other servers', () => {
  const servers = useFederatedServers(['one.test', 'two.test']);

  it('are listed, searched and paged', async () => {
    const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
    const hall = await alice.createRoom({ visibility: 'public', preset: 'public_chat', name: 'Hall' });
    const place = await alice.createRoom({
      visibility: 'public',
      preset: 'public_chat',
      name: 'Place',
      creation_content: { type: 'm.space' },
    });
    await bob.createRoom({ visibility: 'public', preset: 'public_chat', name: 'Of two' });
    const idsOf = (json: JsonObject) => (json['chunk'] as JsonObject[]).map(({ room_id: roomId }) => String(roomId));
    const all = await bob.get('/publicRooms', { server: 'one.test' });
    expect(idsOf(all.json).toSorted()).toEqual([hall, place].toSorted());
    expect(all.json).toEqual((await alice.get('/publicRooms')).json);
    const path = '/publicRooms?server=one.test';
    const term = { filter: { generic_search_term: 'hall' } };
    expect(idsOf((await bob.post(path, term)).json)).toEqual([hall]);
    expect(idsOf((await bob.post(path, { filter: { room_types: ['m.space'] } })).json)).toEqual([place]);
    const first = await bob.post(path, { limit: 1 });
    const second = await bob.post(path, { limit: 1, since: first.json['next_batch'] ?? '' });
    expect([...idsOf(first.json), ...idsOf(second.json)].toSorted()).toEqual([hall, place].toSorted());
    expect((await bob.post(path, { since: 'nonsense' })).status).toBe(400);
    servers.cut('one.test', 'two.test');
    expect(await bob.post(path)).toMatchObject({ status: 404, json: { errcode: 'M_NOT_FOUND' } });
  });

  it('are left out where they are not described as they should be', async () => {
    const bob = await servers.register('two.test', 'bob');
    const good = { room_id: '!a:peer.test', num_joined_members: 1, world_readable: false, guest_can_join: false };
    let answer: JsonObject = { chunk: [{ ...good, name: 7 }, { ...good, num_joined_members: '1' }, 7, null, {}] };
    servers.addPeer('peer.test', () => ({ json: answer }));
    expect(await bob.get('/publicRooms', { server: 'peer.test' })).toMatchObject({
      status: 200,
      json: { chunk: [good] },
    });
    answer = { chunk: 'none' };
    expect((await bob.get('/publicRooms', { server: 'peer.test' })).status).toBe(502);
  });
});
