/** Spaces whose rooms are on several servers, over HTTP with signatures. */
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type FederatedServers, startFederatedServers, useFederatedServers } from '../../support/federated-servers.ts';
import { type TestClient, roomPath, succeeded } from '../../support/test-client.ts';
import { requestJson, type TestResponse } from '../../support/test-server.ts';

const ask = (
  servers: FederatedServers,
  who: Pick<TestClient, 'token' | 'userId'>,
  path: string,
): Promise<TestResponse> => {
  const { url } = servers.get(who.userId.slice(who.userId.indexOf(':') + 1));
  return requestJson(url, 'GET', `/_matrix/client/v1/${path}`, { token: who.token });
};
const hierarchy = (servers: FederatedServers, who: TestClient, roomId: string, query = '') =>
  ask(servers, who, `rooms/${encodeURIComponent(roomId)}/hierarchy${query}`);
const names = async (servers: FederatedServers, who: TestClient, roomId: string, query = ''): Promise<JsonValue[]> => {
  const { rooms } = await succeeded(hierarchy(servers, who, roomId, query));
  return (rooms as JsonObject[]).map(({ name, room_id: id }) => name ?? id ?? null);
};
const space = (who: TestClient, name: string, more: JsonObject = {}) =>
  who.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' }, name, ...more });
const link = (who: TestClient, parent: string, child: string, content: JsonObject) =>
  who.setState(parent, 'm.space.child', content, child);
const onlyFor = (roomId: string, joinRule = 'restricted'): JsonObject => ({
  initial_state: [
    {
      type: 'm.room.join_rules',
      state_key: '',
      content: { join_rule: joinRule, allow: [{ type: 'm.room_membership', room_id: roomId }] },
    },
  ],
});

describeOnBothEngines('spaces across servers', (engine) => {
  const run = async (work: (servers: FederatedServers, alice: TestClient, bob: TestClient) => Promise<void>) => {
    const servers = await startFederatedServers(['one.test', 'two.test'], { engine });
    try {
      await work(servers, await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob'));
    } finally {
      await servers.close();
    }
  };

  it('go on into rooms and spaces of other servers, and back', () =>
    run(async (servers, alice, bob) => {
      const [top, own] = [await space(alice, 'top'), await alice.createRoom({ preset: 'public_chat', name: 'own' })];
      const [inner, room] = [await space(bob, 'inner'), await bob.createRoom({ preset: 'public_chat', name: 'room' })];
      const secret = await bob.createRoom({ preset: 'private_chat', name: 'secret' });
      await link(alice, top, inner, { via: ['nowhere.test', 'two.test'], order: '1' });
      await link(alice, top, own, { via: ['one.test'], order: '2' });
      await link(alice, top, secret, { via: ['two.test'], order: '3' });
      await link(bob, inner, room, { via: ['two.test'], order: '1', suggested: true });
      await link(bob, inner, own, { via: ['one.test'], order: '2' });
      await link(bob, inner, top, { via: ['one.test'], order: '3' });
      await link(bob, inner, secret, { via: ['two.test'], order: '4' });
      expect(await names(servers, alice, top)).toEqual(['top', 'inner', 'room', 'own']);
      const whole = await succeeded(hierarchy(servers, alice, top));
      expect(whole['rooms']).toMatchObject([
        { children_state: [{ state_key: inner }, { state_key: own }, { state_key: secret }] },
        {
          room_id: inner,
          room_type: 'm.space',
          join_rule: 'public',
          room_version: '12',
          num_joined_members: 1,
          children_state: [{ state_key: room, sender: bob.userId }, { state_key: own }, {}, {}],
        },
        { room_id: room, children_state: [] },
        { room_id: own },
      ]);
      expect(whole['next_batch']).toBeUndefined();
      expect(await names(servers, alice, top, '?max_depth=1')).toEqual(['top', 'inner', 'own']);
      expect(await names(servers, alice, top, '?suggested_only=true')).toEqual(['top']);
      // The id names no server, and alice is not told by any event here who knows the room.
      expect((await hierarchy(servers, alice, inner)).status).toBe(403);
      const first = await succeeded(hierarchy(servers, alice, top, '?limit=2'));
      expect((first['rooms'] as JsonObject[]).map(({ name }) => name)).toEqual(['top', 'inner']);
      expect(await names(servers, alice, top, `?limit=5&from=${String(first['next_batch'])}`)).toEqual(['room', 'own']);
      // What was told is not asked for again, except what was not told.
      const asked = servers.passed.filter(({ uri }) => uri.includes(`/v1/hierarchy/${encodeURIComponent(inner)}`));
      expect(asked.filter(({ to }) => to === 'two.test')).toHaveLength(1);
    }));

  it('show restricted rooms to members of the rooms that the conditions name, as far as both servers know', () =>
    run(async (servers, alice, bob) => {
      const carol = await servers.register('one.test', 'carol');
      const top = await space(alice, 'top', {
        initial_state: [
          { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'world_readable' } },
        ],
      });
      const room = await bob.createRoom({ preset: 'private_chat', name: 'room', ...onlyFor(top) });
      await link(alice, top, room, { via: ['two.test'] });
      expect(await names(servers, alice, top)).toEqual(['top']);
      expect((await bob.post(`/join/${top}?via=one.test`)).status).toBe(200);
      expect(await names(servers, alice, top)).toEqual(['top', 'room']);
      expect(await names(servers, carol, top)).toEqual(['top']);
      const summary = `room_summary/${encodeURIComponent(room)}?via=two.test`;
      expect(await succeeded(ask(servers, alice, summary))).toMatchObject({
        room_id: room,
        name: 'room',
        allowed_room_ids: [top],
        join_rule: 'restricted',
        membership: 'leave',
      });
      expect(await ask(servers, carol, summary)).toMatchObject({ status: 404, json: { errcode: 'M_NOT_FOUND' } });
    }));

  it('are told to servers of which somebody is invited, and not to those that are shut out', () =>
    run(async (servers, alice, bob) => {
      const closed = await space(alice, 'closed', { preset: 'private_chat' });
      const uri = `/_matrix/federation/v1/hierarchy/${encodeURIComponent(closed)}`;
      const peer = servers.addPeer('peer.test');
      const summary = `room_summary/${encodeURIComponent(closed)}?via=one.test`;
      expect((await ask(servers, bob, summary)).status).toBe(404);
      await succeeded(alice.post(`${roomPath(closed)}/invite`, { user_id: bob.userId }));
      expect(await succeeded(ask(servers, bob, summary))).toMatchObject({ name: 'closed', membership: 'invite' });
      expect(await names(servers, bob, closed)).toEqual(['closed']);
      expect(await peer.send('one.test', { method: 'GET', uri })).toMatchObject({
        status: 404,
        json: { errcode: 'M_NOT_FOUND' },
      });
      const open = await space(alice, 'open');
      const child = await alice.createRoom({ preset: 'public_chat', name: 'child' });
      await link(alice, open, child, { via: ['one.test'] });
      const openUri = `/_matrix/federation/v1/hierarchy/${encodeURIComponent(open)}`;
      expect((await peer.send('one.test', { method: 'GET', uri: openUri })).json).toMatchObject({
        room: { room_id: open, children_state: [{ state_key: child }] },
        children: [{ room_id: child, name: 'child' }],
        inaccessible_children: [],
      });
      expect(
        (await peer.send('one.test', { method: 'GET', uri: `${openUri}?suggested_only=true` })).json,
      ).toMatchObject({
        children: [],
      });
      const acl = { allow: ['*'], deny: ['peer.test'], allow_ip_literals: false };
      await alice.setState(child, 'm.room.server_acl', acl);
      expect((await peer.send('one.test', { method: 'GET', uri: openUri })).json).toMatchObject({
        children: [],
        inaccessible_children: [child],
      });
      await alice.setState(open, 'm.room.server_acl', acl);
      expect((await peer.send('one.test', { method: 'GET', uri: openUri })).status).toBe(404);
    }));

  it('summarise rooms by alias, for users only', () =>
    run(async (servers, alice, bob) => {
      const roomId = await alice.createRoom({ preset: 'public_chat', name: 'Hall', room_alias_name: 'hall' });
      const path = `room_summary/${encodeURIComponent('#hall:one.test')}`;
      const told = { room_id: roomId, name: 'Hall', membership: 'leave', num_joined_members: 1 };
      expect(await succeeded(ask(servers, bob, path))).toMatchObject(told);
      expect((await ask(servers, { userId: bob.userId, token: undefined }, path)).status).toBe(404);
      const other = await alice.createRoom({ preset: 'public_chat' });
      servers.cut('one.test', 'two.test');
      expect((await ask(servers, bob, `room_summary/${encodeURIComponent(other)}?via=one.test`)).status).toBe(404);
    }));
});

describe('spaces with servers that lie', () => {
  const servers = useFederatedServers(['one.test']);
  const described = (roomId: string, more: JsonObject = {}): JsonObject => ({
    room_id: roomId,
    num_joined_members: 1,
    world_readable: true,
    guest_can_join: false,
    name: roomId,
    ...more,
  });
  const childEvent = (roomId: JsonValue, more: JsonObject = {}): JsonObject => ({
    type: 'm.space.child',
    state_key: roomId,
    sender: '@eve:peer.test',
    content: { via: ['peer.test'] },
    origin_server_ts: 1,
    ...more,
  });
  const space = (roomId: string, children: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
    room: described(roomId, { room_type: 'm.space', children_state: children }),
    children: [],
    inaccessible_children: [],
    ...more,
  });
  const roomOf = (uri: string): string => decodeURIComponent(uri.split('/').at(-1) ?? '');

  it('take nothing about other rooms, and nothing of a wrong form', async () => {
    const alice = await servers.register('one.test', 'alice');
    const top = await alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' }, name: 'top' });
    const ours = await alice.createRoom({ preset: 'public_chat', name: 'ours' });
    const answers: Record<string, JsonObject> = {
      '!other:peer.test': space('!another:peer.test', []),
      '!wrong:peer.test': { room: { room_id: '!wrong:peer.test' }, children: [], inaccessible_children: [] },
      '!none:peer.test': { room: 7, children: 7 },
      '!good:peer.test': space(
        '!good:peer.test',
        [
          childEvent(ours, { content: { via: ['peer.test'], order: '1' } }),
          childEvent('!told:peer.test', { content: { via: ['peer.test'], order: '2' } }),
          childEvent('!hidden:peer.test'),
          childEvent('no room'),
          childEvent(7),
          childEvent('!a:peer.test', { type: 'm.room.name' }),
          childEvent('!b:peer.test', { sender: 'eve' }),
          childEvent('!c:peer.test', { origin_server_ts: 'x' }),
          childEvent('!d:peer.test', { content: 7 }),
          childEvent('!e:peer.test', { content: { via: 'peer.test' } }),
        ],
        {
          children: [
            described('!told:peer.test', { name: 7, topic: 'told', allowed_room_ids: 'none', evil: true }),
            described(ours, { name: 'stolen' }),
            described('!unlinked:peer.test'),
            7,
          ],
          inaccessible_children: ['!hidden:peer.test', 7],
        },
      ),
      '!hidden:peer.test': space('!hidden:peer.test', []),
    };
    servers.addPeer('peer.test', ({ uri }) => {
      const json = answers[roomOf(uri)];
      return json === undefined ? undefined : { json };
    });
    const linked = ['!other:peer.test', '!wrong:peer.test', '!none:peer.test', '!good:peer.test', '!missing:peer.test'];
    for (const [index, child] of linked.entries())
      await link(alice, top, child, { via: ['peer.test'], order: String(index) });
    const { rooms } = await succeeded(hierarchy(servers, alice, top));
    const told = { room_id: '!told:peer.test', topic: 'told', join_rule: 'public', children_state: [] };
    expect(rooms).toMatchObject([{ name: 'top' }, { name: '!good:peer.test' }, { name: 'ours' }, told]);
    expect((rooms as JsonObject[])[3]).not.toHaveProperty('evil');
    expect((rooms as JsonObject[])[1]?.['children_state']).toHaveLength(3);
    expect(servers.passed.filter(({ uri }) => roomOf(uri) === '!hidden:peer.test')).toEqual([]);
  });

  it('ask a bounded number of questions for a page, and come to an end', async () => {
    const alice = await servers.register('one.test', 'alice');
    const top = await alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' }, name: 'top' });
    await link(alice, top, '!s0:peer.test', { via: ['peer.test'] });
    // Each space has three more, of which one is not told of.
    const childrenOf = (roomId: string): JsonObject[] =>
      roomId.length > '!s00000:peer.test'.length
        ? []
        : ['0', '1', '2'].map((digit) => childEvent(roomId.replace(':', `${digit}:`)));
    servers.addPeer('peer.test', ({ uri }) => {
      const roomId = roomOf(uri);
      if (!uri.includes('/hierarchy/') || roomId.endsWith('2:peer.test')) return undefined;
      return { json: space(roomId, childrenOf(roomId)) };
    });
    const questions = () => servers.passed.filter(({ uri }) => uri.includes('/hierarchy/')).length;
    const seen: JsonValue[] = [];
    let from = '';
    for (let pages = 0; pages < 100; pages++) {
      const before = questions();
      const query = from === '' ? '' : `?from=${encodeURIComponent(from)}`;
      const page = await succeeded(hierarchy(servers, alice, top, query));
      expect(questions() - before).toBeLessThanOrEqual(limits.hierarchyQuestionsMax);
      seen.push(...(page['rooms'] as JsonObject[]).map(({ room_id: roomId }) => roomId ?? null));
      if (page['next_batch'] === undefined) break;
      from = String(page['next_batch']);
    }
    // The space itself, and binary trees: 1 + (2^6 - 1).
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(64);
  });
});
