import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';

const running = useLoopbackServer();

interface SyncRooms {
  readonly join?: Readonly<Record<string, { readonly account_data: { readonly events: readonly JsonObject[] } }>>;
  readonly invite?: Readonly<Record<string, { readonly invite_state: { readonly events: readonly JsonObject[] } }>>;
}
const roomsOf = (answer: JsonObject) => (answer['rooms'] ?? {}) as SyncRooms;
const globalsOf = (answer: JsonObject) =>
  ((answer['account_data'] ?? { events: [] }) as { readonly events: readonly JsonObject[] }).events;

it('a direct chat is told to the invited user as one, and kept by both in their own lists', async () => {
  const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
  const roomId = await alice.createRoom({ preset: 'trusted_private_chat', is_direct: true, invite: [bob.userId] });
  const invited = await succeeded(bob.get('/sync'));
  const shown = roomsOf(invited).invite?.[roomId]?.invite_state.events ?? [];
  expect(shown.at(-1)).toEqual({
    type: 'm.room.member',
    sender: alice.userId,
    state_key: bob.userId,
    content: { membership: 'invite', displayname: 'bob', is_direct: true },
  });
  await succeeded(bob.post(`${roomPath(roomId)}/join`));
  for (const [user, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const since = String((await succeeded(user.get('/sync')))['next_batch']);
    const waiting = succeeded(user.get('/sync', { since, timeout: '60000' }));
    const content = { [other.userId]: [roomId] };
    await succeeded(user.put(`/user/${user.userId}/account_data/m.direct`, content));
    expect(globalsOf(await waiting)).toEqual([{ type: 'm.direct', content }]);
    expect(globalsOf(await succeeded(user.get('/sync')))).toContainEqual({ type: 'm.direct', content });
    expect(globalsOf(await succeeded(other.get('/sync')))).not.toContainEqual({ type: 'm.direct', content });
  }
});

it('tags are told to whoever set them, with each change, and stay over a departure', async () => {
  const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  await succeeded(bob.post(`${roomPath(roomId)}/join`));
  const tag = (name: string) => `/user/${bob.userId}${roomPath(roomId)}/tags/${name}`;
  let since = String((await succeeded(bob.get('/sync')))['next_batch']);
  const told = async () => {
    const answer = await succeeded(bob.get('/sync', { since }));
    since = String(answer['next_batch']);
    return roomsOf(answer).join?.[roomId]?.account_data.events;
  };
  await succeeded(bob.put(tag('m.favourite'), { order: 0.25 }));
  expect(await told()).toEqual([{ type: 'm.tag', content: { tags: { 'm.favourite': { order: 0.25 } } } }]);
  await succeeded(bob.put(tag('u.friends')));
  const both = [{ type: 'm.tag', content: { tags: { 'm.favourite': { order: 0.25 }, 'u.friends': {} } } }];
  expect(await told()).toEqual(both);
  expect(roomsOf(await succeeded(alice.get('/sync'))).join?.[roomId]?.account_data.events).toEqual([]);
  await succeeded(bob.post(`${roomPath(roomId)}/leave`));
  await succeeded(bob.post(`${roomPath(roomId)}/forget`));
  expect(await told()).toBeUndefined();
  await succeeded(bob.post(`${roomPath(roomId)}/join`));
  expect(await told()).toEqual(both);
});

it('suspended users read and keep their own lists; locked ones do nothing, and wait for nothing', async () => {
  const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
  const admin = await TestClient.registerAdministrator(running);
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  await succeeded(bob.post(`${roomPath(roomId)}/join`));
  await admin.setSuspended(bob.userId, true);
  const read = [
    '/initialSync',
    '/events?timeout=0',
    `${roomPath(roomId)}/initialSync`,
    `${roomPath(roomId)}/members`,
    `${roomPath(roomId)}/joined_members`,
  ];
  for (const path of read) await succeeded(bob.get(path));
  await succeeded(bob.put(`/user/${bob.userId}/account_data/m.direct`, { [alice.userId]: [roomId] }));
  await succeeded(bob.put(`/user/${bob.userId}${roomPath(roomId)}/tags/u.a`));
  const waiting = bob.get('/events', { timeout: '60000' });
  await admin.setLocked(bob.userId, true);
  const locked = [401, 'M_USER_LOCKED'];
  expect(refusal(await waiting)).toEqual(locked);
  for (const path of read) expect([path, refusal(await bob.get(path))]).toEqual([path, locked]);
  for (const path of [`/knock/${encodeURIComponent(roomId)}`, `${roomPath(roomId)}/forget`])
    expect(refusal(await bob.post(path))).toEqual(locked);
});
