import { beforeEach, describe, expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient } from '../../support/test-client.ts';

const listing = (roomId: string) => `/directory/list/room/${encodeURIComponent(roomId)}`;

describe('the published room directory over HTTP', () => {
  const running = useLoopbackServer();
  let alice: TestClient;
  let bob: TestClient;
  let anyone: Pick<TestClient, 'call'>;

  beforeEach(async () => {
    [alice, bob, anyone] = [
      await TestClient.register(running, 'alice'),
      await TestClient.register(running, 'bob'),
      TestClient.nobody(running),
    ];
  });

  it('is listed for everybody, and searched with an account', async () => {
    const roomId = await alice.createRoom({ visibility: 'public', name: 'Wombles', room_alias_name: 'w' });
    const space = await alice.createRoom({ visibility: 'public', creation_content: { type: 'm.space' } });
    const { status, json } = await anyone.call('GET', '/publicRooms?limit=1');
    expect([status, json]).toEqual([
      200,
      {
        chunk: [
          {
            room_id: roomId,
            num_joined_members: 1,
            world_readable: false,
            guest_can_join: false,
            join_rule: 'public',
            name: 'Wombles',
            canonical_alias: '#w:localhost',
          },
        ],
        next_batch: expect.any(String) as string,
        total_room_count_estimate: 2,
      },
    ]);
    const next = await anyone.call('GET', `/publicRooms?limit=1&since=${String(json['next_batch'])}`);
    expect(next.json).toMatchObject({ chunk: [{ room_id: space, room_type: 'm.space' }] });
    const back = await bob.call('POST', '/publicRooms', { limit: 1, since: String(next.json['prev_batch']) });
    expect(back.json).toMatchObject({ chunk: [{ room_id: roomId }] });
    const filter = { generic_search_term: 'WOMBLES', room_types: [null] };
    expect((await bob.call('POST', '/publicRooms', { filter })).json).toMatchObject({ chunk: [{ room_id: roomId }] });
    const none = { ...filter, room_types: ['m.space'] };
    expect((await bob.call('POST', '/publicRooms?server=localhost', { filter: none })).json).toMatchObject({
      chunk: [],
    });
  });

  it('is entered and left', async () => {
    const roomId = await alice.createRoom();
    const visibility = async () => (await anyone.call('GET', listing(roomId))).json;
    expect(await visibility()).toEqual({ visibility: 'private' });
    expect((await alice.call('PUT', listing(roomId), {})).json).toEqual({});
    expect(await visibility()).toEqual({ visibility: 'public' });
    expect(refusal(await bob.call('PUT', listing(roomId), { visibility: 'private' }))).toEqual([403, 'M_FORBIDDEN']);
    const admin = await TestClient.registerAdministrator(running);
    expect((await admin.call('PUT', listing(roomId), { visibility: 'private' })).status).toBe(200);
    expect(await visibility()).toEqual({ visibility: 'private' });
    expect((await anyone.call('GET', '/publicRooms')).json).toEqual({ chunk: [], total_room_count_estimate: 0 });
  });

  it('refuses what the specification does', async () => {
    const roomId = await alice.createRoom();
    expect(refusal(await anyone.call('PUT', listing(roomId), {}))).toEqual([401, 'M_MISSING_TOKEN']);
    expect(refusal(await alice.call('PUT', listing(roomId), { visibility: 'hidden' }))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    expect(refusal(await alice.call('PUT', listing(roomId), { visibility: 1 }))).toEqual([400, 'M_BAD_JSON']);
    for (const method of ['GET', 'PUT'] as const) {
      expect(refusal(await alice.call(method, listing('!nowhere:localhost')))).toEqual([404, 'M_NOT_FOUND']);
      expect(refusal(await alice.call(method, listing('room')))).toEqual([400, 'M_INVALID_PARAM']);
    }
    expect(refusal(await anyone.call('POST', '/publicRooms', {}))).toEqual([401, 'M_MISSING_TOKEN']);
    for (const query of ['since=x', 'limit=x', 'limit=-1', 'server=%20'])
      expect([query, ...refusal(await anyone.call('GET', `/publicRooms?${query}`))]).toEqual([
        query,
        400,
        'M_INVALID_PARAM',
      ]);
    expect(refusal(await anyone.call('GET', '/publicRooms?server=nowhere.invalid'))).toEqual([404, 'M_NOT_FOUND']);
    const bodies = [{ limit: 'x' }, { since: 7 }, { filter: [] }, { filter: { generic_search_term: 7 } }];
    for (const body of [...bodies, { filter: { room_types: [7] } }, { include_all_networks: 'yes' }])
      expect([body, ...refusal(await alice.call('POST', '/publicRooms', body))]).toEqual([body, 400, 'M_BAD_JSON']);
    const both = { include_all_networks: true, third_party_instance_id: 'irc' };
    expect(refusal(await alice.call('POST', '/publicRooms', both))).toEqual([400, 'M_INVALID_PARAM']);
  });
});
