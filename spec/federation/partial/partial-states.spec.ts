import { expect, it, vi } from 'vitest';
import type { EventId, ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { roomPath, succeeded, type TestClient } from '../../support/test-client.ts';
import { alice, eve, far, FarRoom, near, other, signerOf } from '../receive/support/far-room.ts';
import { ResidentPeer } from './support/resident-peer.ts';

interface JoinedRoom {
  readonly timeline: { readonly events: readonly JsonObject[] };
  readonly state: { readonly events: readonly JsonObject[] };
  readonly summary?: JsonObject;
}
interface SyncReply extends JsonObject {
  readonly next_batch: string;
  readonly rooms?: { readonly join?: Readonly<Record<string, JoinedRoom & JsonObject>> };
}

const lazily = JSON.stringify({ room: { state: { lazy_load_members: true } } });
const wait = { timeout: 60_000, interval: 20 };

describeOnBothEngines('a room that was joined before its members were known', (engine) => {
  const servers = useFederatedServers([near], { engine, isOnDisk: true });

  /** Made by alice of far; eve of other is in it, and so are some more of far. */
  const farRoom = (members = 3): FarRoom => {
    const room = new FarRoom('11');
    room.add({ type: 'm.room.create', stateKey: '', sender: alice, content: { room_version: '11' } });
    room.join(alice);
    room.add({
      type: 'm.room.power_levels',
      stateKey: '',
      sender: alice,
      content: { users: { [alice]: 100, [eve]: 50 } },
    });
    room.add({ type: 'm.room.join_rules', stateKey: '', sender: alice, content: { join_rule: 'public' } });
    room.join(eve);
    for (let i = 0; i < members; i++) room.join(memberOfFar(i));
    return room;
  };
  const memberOfFar = (index: number): UserId => `@member${index}:${far}` as UserId;
  const begin = async (room = farRoom(), servers_in_room: ServerName[] = [far]) => {
    const peer = new ResidentPeer(servers.network, room);
    if (!servers_in_room.includes(other)) servers.network.addPeer(other, undefined, signerOf(other).key);
    peer.servers = servers_in_room;
    const bob = await servers.register(near, 'bob');
    await succeeded(bob.post(`/join/${encodeURIComponent(room.roomId)}?server_name=${far}`));
    return { room, peer, bob, roomId: room.roomId, path: roomPath(room.roomId) };
  };
  const sync = async (client: TestClient, query: Record<string, string> = {}): Promise<SyncReply> =>
    (await succeeded(client.get('/sync', { timeout: '0', ...query }))) as SyncReply;
  const joinedIn = async (client: TestClient, path: string): Promise<string[]> =>
    Object.keys((await succeeded(client.get(`${path}/joined_members`)))['joined'] as JsonObject).toSorted();
  const isThere = async (client: TestClient, path: string, eventId: EventId): Promise<boolean> =>
    (await client.get(`${path}/event/${encodeURIComponent(eventId)}`)).status === 200;

  it('lets its user speak at once; who reads members waits for them', async () => {
    const { peer, bob, room, roomId, path } = await begin(farRoom(30));
    const before = await sync(bob);
    expect(before.rooms?.join?.[roomId]).toBeUndefined();
    const lazy = await sync(bob, { filter: lazily });
    expect(lazy.rooms?.join?.[roomId]?.summary).toMatchObject({ 'm.joined_member_count': 1 });
    const said = await bob.say(roomId, 'hello');
    await vi.waitFor(
      () => expect(peer.received.map(({ content }) => content)).toEqual([{ msgtype: 'm.text', body: 'hello' }]),
      wait,
    );
    const members = joinedIn(bob, path);
    await vi.waitFor(() => expect(peer.asked).toEqual(['state_ids']), wait);
    const heard = room.say(memberOfFar(0), 'hello yourself');
    await peer.send(near, [heard]);
    await vi.waitFor(async () => expect(await isThere(bob, path, heard.event.eventId)).toBe(true), wait);
    const lazyNews = await sync(bob, { filter: lazily, since: lazy.next_batch });
    const news = lazyNews.rooms?.join?.[roomId];
    expect(news?.timeline.events.map((event) => event['event_id'])).toEqual([said, heard.event.eventId]);
    expect(news?.state.events.map((event) => event['state_key'])).toContain(memberOfFar(0));
    peer.tellStates();
    const everybody = [alice, bob.userId, eve, ...Array.from({ length: 30 }, (_, i) => memberOfFar(i))].toSorted();
    expect(await members).toEqual(everybody);
    const eager = (await sync(bob, { since: before.next_batch })).rooms?.join?.[roomId];
    expect(eager?.state.events.map((event) => event['state_key']).filter((key) => key !== '')).toEqual(
      expect.arrayContaining(everybody.filter((userId) => userId !== bob.userId)),
    );
    const whole = (await sync(bob, { filter: lazily, since: lazyNews.next_batch })).rooms?.join?.[roomId];
    expect(whole?.summary).toMatchObject({ 'm.joined_member_count': 33 });
    // Of the others it meets only those by whom a room without a name is known.
    expect(whole?.state.events.length).toBeLessThan(8);
    expect((await sync(bob, { since: (await sync(bob)).next_batch })).rooms).toBeUndefined();
  });

  it('goes on after a restart, without asking again for what it has', async () => {
    const { peer, bob, path, roomId } = await begin();
    await vi.waitFor(() => expect(peer.asked).toEqual(['state_ids']), wait);
    await servers.restart(near);
    expect((await sync(bob)).rooms?.join?.[roomId]).toBeUndefined();
    await bob.say(roomId, 'still here');
    peer.tellStates();
    expect(await joinedIn(bob, path)).toHaveLength(6);
    await servers.restart(near);
    const { length } = peer.asked;
    expect(await joinedIn(bob, path)).toHaveLength(6);
    expect(peer.asked).toHaveLength(length);
  });

  it('turns to another server when the one through which it was joined is gone', async () => {
    const room = farRoom(30);
    const second = new ResidentPeer(servers.network, room, other);
    second.tellStates();
    const { peer, bob, path } = await begin(room, [far, other]);
    await vi.waitFor(() => expect(peer.asked).toEqual(['state_ids']), wait);
    peer.isGone = true;
    servers.network.cut(near, far);
    peer.tellStates();
    expect(await joinedIn(bob, path)).toHaveLength(33);
    expect(second.asked).toContain('state');
  });

  it('finds one forged signature among five hundred', async () => {
    const room = farRoom(500);
    const forged = room.order[250]!.event;
    servers.network.addPeer(other, undefined, signerOf(other).key);
    const peer = new ResidentPeer(servers.network, room);
    peer.forged.add(forged.eventId);
    peer.tellStates();
    const bob = await servers.register(near, 'bob');
    await succeeded(bob.post(`/join/${encodeURIComponent(room.roomId)}?server_name=${far}`));
    const members = await joinedIn(bob, roomPath(room.roomId));
    expect(members).toHaveLength(502);
    expect(members).not.toContain(forged.stateKey);
  });

  it('takes back what was only allowed for want of the members, and lets in what was not', async () => {
    const room = farRoom();
    const [gone, kicked] = [memberOfFar(0), memberOfFar(1)];
    const joined = room.order.find(({ event }) => event.stateKey === gone)!.event.eventId;
    room.member(alice, gone, 'ban');
    const { peer, bob, roomId, path } = await begin(room);
    const { next_batch: since } = await sync(bob, { filter: lazily });
    // With auth events from before the ban; then something that the ban of eve, which is no good, keeps out at first.
    const power = room.order.find(({ event }) => event.type === 'm.room.power_levels')!.event.eventId;
    const create = room.order[0]!.event.eventId;
    const bad = room.say(gone, 'I am still here', { auth: [create, power, joined] });
    const tip = { prev: [bad.event.eventId] };
    const kick = room.member(eve, kicked, 'ban', tip);
    const member = room.order.find(({ event }) => event.stateKey === kicked)!.event.eventId;
    const outcast = room.say(kicked, 'me too', { prev: [kick.event.eventId], auth: [create, power, member] });
    const last = room.say(alice, 'the last word', { prev: [outcast.event.eventId] });
    await peer.send(near, [bad, kick, outcast, last]);
    await vi.waitFor(async () => expect(await isThere(bob, path, last.event.eventId)).toBe(true), wait);
    expect(await isThere(bob, path, bad.event.eventId)).toBe(true);
    expect(await isThere(bob, path, outcast.event.eventId)).toBe(false);
    peer.tellStates();
    const members = await joinedIn(bob, path);
    expect(members).not.toContain(gone);
    expect(await isThere(bob, path, bad.event.eventId)).toBe(false);
    expect(await isThere(bob, path, last.event.eventId)).toBe(true);
    const news = (await sync(bob, { filter: lazily, since })).rooms?.join?.[roomId];
    const told = news?.timeline.events.map((event) => event['event_id']);
    expect(told).toContain(last.event.eventId);
    expect(told).not.toContain(bad.event.eventId);
  });

  it('is joined by a second user at once, and left by both', async () => {
    const { peer, bob, roomId, path } = await begin();
    const carol = await servers.register(near, 'carol');
    await succeeded(carol.post(`/join/${encodeURIComponent(roomId)}?server_name=${far}`));
    await carol.say(roomId, 'and me');
    await succeeded(bob.post(`${path}/leave`));
    expect((await sync(carol, { filter: lazily })).rooms?.join?.[roomId]).toBeDefined();
    await succeeded(carol.post(`${path}/leave`));
    // Nobody waits for the members any more, and who comes back begins anew.
    await succeeded(bob.get(`${path}/members`));
    peer.tellStates();
    await succeeded(bob.post(`/join/${encodeURIComponent(roomId)}?server_name=${far}`));
    expect(await joinedIn(bob, path)).toEqual([alice, bob.userId, eve, ...[0, 1, 2].map(memberOfFar)].toSorted());
  });
});
