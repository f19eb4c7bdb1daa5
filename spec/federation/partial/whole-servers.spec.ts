import { describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { roomPath, succeeded, type TestClient } from '../../support/test-client.ts';

const [one, two, three] = ['one.test', 'two.test', 'three.test'] as const;
const wait = { timeout: 60_000, interval: 20 };
const lazily = JSON.stringify({ room: { state: { lazy_load_members: true } } });

describe('whole servers', () => {
  const servers = useFederatedServers([one, two, three], { isOnDisk: true });

  /** Ids and states of the room are not given by a server until it is told to. */
  const holdBack = (name: string) => {
    const gate = Promise.withResolvers<void>();
    const asked: string[] = [];
    servers.network.intercept(name, async ({ uri, from }) => {
      const isState = /^\/_matrix\/federation\/v1\/(state|state_ids)\//.test(uri);
      if (!isState) return undefined;
      asked.push(from);
      await gate.promise;
      return undefined;
    });
    return { asked, release: () => gate.resolve() };
  };
  const enter = (client: TestClient, roomId: string, through: string): Promise<JsonObject> =>
    succeeded(client.post(`/join/${encodeURIComponent(roomId)}?server_name=${through}`));
  const syncedRoom = async (client: TestClient, roomId: string, query: Record<string, string> = {}) => {
    const { rooms } = await succeeded(client.get('/sync', { timeout: '0', ...query }));
    return ((rooms as JsonObject | undefined)?.['join'] as JsonObject | undefined)?.[roomId] as JsonObject | undefined;
  };
  const joinedIn = async (client: TestClient, roomId: string): Promise<string[]> =>
    Object.keys((await succeeded(client.get(`${roomPath(roomId)}/joined_members`)))['joined'] as JsonObject).toSorted();
  const hears = (client: TestClient, roomId: string, eventId: string): Promise<void> =>
    vi.waitFor(
      async () =>
        expect((await client.get(`${roomPath(roomId)}/event/${encodeURIComponent(eventId)}`)).status).toBe(200),
      wait,
    );

  /** alice, who made it, and carol are of the first server; dave, of the third, is in it too. */
  const made = async () => {
    const [alice, carol] = [await servers.register(one, 'alice'), await servers.register(one, 'carol')];
    const [bob, dave] = [await servers.register(two, 'bob'), await servers.register(three, 'dave')];
    const roomId = await alice.createRoom({ preset: 'public_chat', name: 'large' });
    await succeeded(carol.post(`/join/${encodeURIComponent(roomId)}`));
    await enter(dave, roomId, one);
    expect(await joinedIn(dave, roomId)).toHaveLength(3);
    const everybody = [alice, bob, carol, dave].map(({ userId }) => userId).toSorted();
    return { alice, bob, carol, dave, roomId, everybody };
  };

  it('show a room at once to who loads members lazily, and to others when its members are there', async () => {
    const { alice, bob, dave, roomId, everybody } = await made();
    const held = holdBack(one);
    await enter(bob, roomId, one);
    await vi.waitFor(() => expect(held.asked).toEqual([two]), wait);
    expect(await syncedRoom(bob, roomId)).toBeUndefined();
    expect(await syncedRoom(bob, roomId, { filter: lazily })).toMatchObject({
      timeline: { events: [{ state_key: bob.userId }] },
    });
    let isAnswered = false;
    const members = joinedIn(bob, roomId).finally(() => (isAnswered = true));
    // What is said goes in all directions meanwhile.
    const said = [await alice.say(roomId, 'from alice'), await bob.say(roomId, 'from bob')];
    said.push(await dave.say(roomId, 'from dave'));
    for (const client of [alice, bob, dave]) for (const eventId of said) await hears(client, roomId, eventId);
    expect(isAnswered).toBe(false);
    held.release();
    expect(await members).toEqual(everybody);
    const { state, timeline } = (await syncedRoom(bob, roomId)) ?? {};
    const shown = [state, timeline].flatMap((part) => (part as { events: JsonObject[] }).events);
    const shownMembers = shown.filter(({ type }) => type === 'm.room.member').map((event) => event['state_key']);
    expect(new Set(shownMembers)).toEqual(new Set(everybody));
    for (const client of [alice, dave]) expect(await joinedIn(client, roomId)).toEqual(everybody);
  });

  it('fetch members from others when the one through which the room was joined is gone', async () => {
    const { bob, dave, roomId, everybody } = await made();
    const held = holdBack(one);
    await enter(bob, roomId, one);
    await vi.waitFor(() => expect(held.asked).toEqual([two]), wait);
    // The third learns of the join before the first is gone.
    await hears(dave, roomId, await bob.say(roomId, 'is anybody there'));
    servers.cut(one, two);
    held.release();
    await servers.restart(two);
    expect(await joinedIn(bob, roomId)).toEqual(everybody);
    expect(servers.passed.some(({ from, to, uri }) => from === two && to === three && uri.includes('/state'))).toBe(
      true,
    );
  });

  it('go on where one of them ended in the middle without a word', async () => {
    const { alice, bob, dave, roomId, everybody } = await made();
    const held = holdBack(one);
    await enter(bob, roomId, one);
    await vi.waitFor(() => expect(held.asked).toEqual([two]), wait);
    const before = await bob.say(roomId, 'before the end');
    await servers.crash(two);
    await vi.waitFor(() => expect(held.asked).toEqual([two, two]), wait);
    expect(await syncedRoom(bob, roomId)).toBeUndefined();
    expect(await syncedRoom(bob, roomId, { filter: lazily })).toBeDefined();
    const after = await bob.say(roomId, 'after it');
    held.release();
    expect(await joinedIn(bob, roomId)).toEqual(everybody);
    for (const client of [alice, dave]) for (const eventId of [before, after]) await hears(client, roomId, eventId);
    // Whole is whole, also after another end.
    await servers.crash(two);
    expect(await joinedIn(bob, roomId)).toEqual(everybody);
    expect(held.asked).toEqual([two, two]);
  });
});
