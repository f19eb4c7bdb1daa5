/** What /sync is asked for in its query and filter, over HTTP. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';
import { type ClientEvent, type SyncAnswer, asSent } from '../../support/test-rooms.ts';

describe('GET /sync', () => {
  const running = useLoopbackServer();

  const start = async () => {
    const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    const roomId = await alice.createRoom({ preset: 'public_chat', name: 'First name' });
    await succeeded(bob.post(`${roomPath(roomId)}/join`));
    return { alice, bob, roomId };
  };
  const sync = async (client: TestClient, query: Record<string, string> = {}): Promise<SyncAnswer> =>
    asSent<SyncAnswer>(await succeeded(client.get('/sync', query)));
  /** The state of a room under its name. */
  const stateAs = (field: string, room: object = {}): readonly ClientEvent[] =>
    new Map(Object.entries(room) as [string, { readonly events?: readonly ClientEvent[] }][]).get(field)?.events ?? [];
  const names = (events: readonly ClientEvent[] = []) => events.flatMap(({ content }) => content['name'] ?? []);
  const bodies = (events: readonly ClientEvent[] = []) => events.flatMap(({ content }) => content['body'] ?? []);

  it('tells of rooms that were left where the filter includes them, as they were then, and of none that is forgotten', async () => {
    const { alice, bob, roomId } = await start();
    const { next_batch: since } = await sync(bob);
    await alice.say(roomId, 'while here');
    await succeeded(bob.post(`${roomPath(roomId)}/leave`));
    await alice.setState(roomId, 'm.room.name', { name: 'Second name' });
    await alice.say(roomId, 'not for bob');
    const filter = JSON.stringify({ room: { include_leave: true, timeline: { limit: 2 } } });
    for (const query of [{ filter }, { filter, since }]) {
      const { rooms } = await sync(bob, query);
      expect(Object.keys(rooms?.join ?? {})).toEqual([]);
      const { timeline, state } = rooms?.leave?.[roomId] ?? {};
      expect(bodies(timeline?.events)).toEqual(['while here']);
      expect(timeline?.events.at(-1)?.content['membership']).toBe('leave');
      expect(names(state?.events)).toEqual('since' in query ? [] : ['First name']);
    }
    expect((await sync(bob)).rooms).toBeUndefined();
    expect((await sync(bob, { filter: '{"room":{"include_leave":false}}' })).rooms).toBeUndefined();
    await succeeded(bob.post(`${roomPath(roomId)}/forget`));
    expect((await sync(bob, { filter })).rooms).toBeUndefined();
  });

  it.each([
    [{}, 'state'],
    [{ use_state_after: 'true' }, 'state_after'],
    [{ 'org.matrix.msc4222.use_state_after': 'true' }, 'org.matrix.msc4222.state_after'],
  ] as const)('gives the full state of every room whenever it is asked for (%j)', async (query, field) => {
    const { alice, bob, roomId } = await start();
    const quiet = await alice.createRoom({ name: 'Nothing happens here' });
    const { next_batch: since } = await sync(alice);
    await alice.setState(roomId, 'm.room.topic', { topic: 'in the timeline' });
    await bob.say(roomId, 'hello');
    const full = (await sync(alice, { ...query, since, full_state: 'true' })).rooms?.join ?? {};
    expect(Object.keys(full).toSorted()).toEqual([roomId, quiet].toSorted());
    const told = (room: string) => stateAs(field, full[room]);
    const types = (room: string) => told(room).map(({ type }) => type);
    expect(types(quiet)).toEqual(expect.arrayContaining(['m.room.create', 'm.room.name', 'm.room.power_levels']));
    expect(full[quiet]?.timeline.events).toEqual([]);
    expect(types(roomId).filter((type) => type === 'm.room.member')).toHaveLength(2);
    // Before the timeline there was no topic.
    expect(types(roomId).includes('m.room.topic')).toBe(field !== 'state');
    expect(full[roomId]?.timeline.events.map(({ type }) => type)).toEqual(['m.room.topic', 'm.room.message']);
    const plain = (await sync(alice, { ...query, since, full_state: 'false' })).rooms?.join ?? {};
    expect(Object.keys(plain)).toEqual([roomId]);
    const { next_batch: newest } = await sync(alice);
    const waiting = await sync(alice, {
      ...query,
      since: newest,
      full_state: 'true',
      timeout: '30000',
    });
    expect(Object.keys(waiting.rooms?.join ?? {})).toHaveLength(2);
  });

  it('marks who asks as set_presence says', async () => {
    const { alice, bob } = await start();
    const seen = async (): Promise<unknown> =>
      (await succeeded(alice.get(`/presence/${encodeURIComponent(bob.userId)}/status`)))['presence'];
    await sync(bob, { set_presence: 'offline' });
    expect(await seen()).toBe('offline');
    await sync(bob, { set_presence: 'unavailable' });
    expect(await seen()).toBe('unavailable');
    await sync(bob, { set_presence: 'online' });
    expect(await seen()).toBe('online');
    await sync(bob, { set_presence: 'offline' });
    expect(await seen()).toBe('online');
    for (const wrong of ['busy', 'Online', ''])
      expect(refusal(await bob.get('/sync', { set_presence: wrong }))).toEqual([400, 'M_INVALID_PARAM']);
    await sync(bob, { set_presence: 'unavailable' });
    await sync(bob);
    expect(await seen()).toBe('online');
  });

  it.each([
    [{}, 'state'],
    [{ use_state_after: 'true' }, 'state_after'],
  ] as const)('gives what of the state changed in a gap, and nothing else (%j)', async (query, field) => {
    const { alice, bob, roomId } = await start();
    const carol = await TestClient.register(running, 'carol');
    const filter = '{"room":{"timeline":{"limit":2}}}';
    const { next_batch: since } = await sync(alice, { ...query, filter });
    await alice.setState(roomId, 'm.room.topic', { topic: 'in the gap' });
    await alice.setState(roomId, 'm.room.name', { name: 'overtaken in the gap' });
    await alice.setState(roomId, 'm.room.name', { name: 'Second name' });
    await succeeded(carol.post(`${roomPath(roomId)}/join`));
    for (const text of ['one', 'two']) await bob.say(roomId, text);
    await alice.setState(roomId, 'm.room.name', { name: 'in the timeline' });
    const room = (await sync(alice, { ...query, since, filter })).rooms?.join?.[roomId];
    expect(room?.timeline.limited).toBe(true);
    expect(bodies(room?.timeline.events)).toEqual(['two']);
    const told = stateAs(field, room);
    expect(new Set(told.map(({ type, state_key: key }) => `${type} ${key}`))).toEqual(
      new Set(['m.room.topic ', 'm.room.name ', `m.room.member ${carol.userId}`]),
    );
    expect(names(told)).toEqual([field === 'state' ? 'Second name' : 'in the timeline']);
    const from = String(room?.timeline.prev_batch);
    const page = await succeeded(alice.get(`${roomPath(roomId)}/messages`, { from, to: since, dir: 'b', limit: '20' }));
    const missed = asSent<{ chunk: ClientEvent[] }>(page).chunk.toReversed();
    expect(
      missed.map(({ content }) => content['body'] ?? content['topic'] ?? content['name'] ?? content['membership']),
    ).toEqual(['in the gap', 'overtaken in the gap', 'Second name', 'join', 'one']);
  });

  it('waits as long as it may, not at all without a timeout, and refuses what is no time', async () => {
    const { alice, bob, roomId } = await start();
    const { next_batch: since } = await sync(alice);
    for (const query of [{ since }, { since, timeout: '0' }]) expect((await sync(alice, query)).rooms).toBeUndefined();
    // Longer than a request may take is as long as it may.
    const waiting = sync(alice, { since, timeout: '999999999999' });
    await bob.say(roomId, 'news');
    expect(bodies((await waiting).rooms?.join?.[roomId]?.timeline.events)).toEqual(['news']);
    for (const timeout of ['-1', '1.5', 'soon', '9007199254740993', '1e3'])
      expect(refusal(await alice.get('/sync', { since, timeout }))).toEqual([400, 'M_INVALID_PARAM']);
    for (const [name, value] of [
      ['full_state', 'yes'],
      ['use_state_after', '0'],
      ['org.matrix.msc4222.use_state_after', 'TRUE'],
      ['since', 's'],
      ['since', 'yesterday'],
      ['since', 's1.2'],
    ] as const)
      expect(refusal(await alice.get('/sync', { [name]: value }))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('refuses filters that cannot be, by their id as in the query', async () => {
    const { alice, bob } = await start();
    const path = (userId: string) => `/user/${encodeURIComponent(userId)}/filter`;
    const { filter_id: ofBob } = await succeeded(bob.post(path(bob.userId), { room: { include_leave: true } }));
    for (const filter of [`${String(ofBob)}999`, 'nothing', '-1', '99999999999999999999'])
      expect([filter, ...refusal(await bob.get('/sync', { filter }))]).toEqual([filter, 400, 'M_INVALID_PARAM']);
    for (const [filter, errcode] of [
      [{ room: { include_leave: 'yes' } }, 'M_BAD_JSON'],
      [{ room: { rooms: 'all' } }, 'M_BAD_JSON'],
      [{ room: { not_rooms: ['nowhere'] } }, 'M_BAD_JSON'],
      [{ room: { state: { lazy_load_members: 1 } } }, 'M_BAD_JSON'],
      [{ room: { timeline: { limit: -1 } } }, 'M_BAD_JSON'],
      [{ room: { timeline: { senders: ['alice'] } } }, 'M_BAD_JSON'],
      [{ room: { timeline: { contains_url: 'no' } } }, 'M_BAD_JSON'],
      [{ room: [] }, 'M_BAD_JSON'],
      [{ presence: { types: [7] } }, 'M_BAD_JSON'],
      [{ account_data: { not_types: {} } }, 'M_BAD_JSON'],
    ] as const) {
      const body = JSON.parse(JSON.stringify(filter)) as JsonObject;
      expect([filter, ...refusal(await alice.get('/sync', { filter: JSON.stringify(filter) }))]).toEqual([
        filter,
        400,
        errcode,
      ]);
      expect(refusal(await alice.post(path(alice.userId), body))).toEqual([400, errcode]);
    }
    // Of a filter that belongs to somebody else nothing is known, unless it is the same as one's own.
    const { filter_id: other } = await succeeded(bob.post(path(bob.userId), { room: { timeline: { limit: 3 } } }));
    expect(refusal(await alice.get(`${path(bob.userId)}/${String(other)}`))).toEqual([403, 'M_FORBIDDEN']);
  });
});
