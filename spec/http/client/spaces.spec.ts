import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, succeeded } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

const running = useLoopbackServer();
const ask = (client: Pick<TestClient, 'token'> | undefined, path: string) =>
  requestJson(running.url, 'GET', `/_matrix/client/${path}`, { token: client?.token });

it('answers the hierarchy of a space with every parameter', async () => {
  const alice = await TestClient.register(running, 'alice');
  const space = await alice.createRoom({ creation_content: { type: 'm.space' }, name: 'space' });
  const roomId = await alice.createRoom({ name: 'room' });
  await alice.setState(space, 'm.space.child', { via: ['localhost'], suggested: true }, roomId);
  const path = `v1/rooms/${encodeURIComponent(space)}/hierarchy`;
  const first = await succeeded(ask(alice, `${path}?limit=1&max_depth=3&suggested_only=true`));
  expect(first).toMatchObject({ rooms: [{ room_id: space, children_state: [{ state_key: roomId }] }] });
  const from = String(first['next_batch']);
  const second = await succeeded(ask(alice, `${path}?max_depth=3&suggested_only=true&from=${from}`));
  expect((second['rooms'] as JsonObject[]).map((room) => room['room_id'])).toEqual([roomId]);
  for (const query of ['limit=0', 'limit=x', 'max_depth=-1', 'suggested_only=perhaps', 'from=x', `from=${from}`])
    expect(refusal(await ask(alice, `${path}?${query}`)), query).toEqual([400, 'M_INVALID_PARAM']);
});

it('answers the summary of a room to everybody who may see it, at all its paths', async () => {
  const alice = await TestClient.register(running, 'alice');
  const roomId = await alice.createRoom({ preset: 'public_chat', room_alias_name: 'room' });
  const unstable = 'unstable/im.nheko.summary';
  for (const [before, after] of [
    ['v1/room_summary/', ''],
    [`${unstable}/summary/`, ''],
    [`${unstable}/rooms/`, '/summary'],
  ] as const)
    for (const name of [roomId, '#room:localhost']) {
      const path = `${before}${encodeURIComponent(name)}${after}?via=localhost&via=elsewhere`;
      expect(await succeeded(ask(alice, path)), path).toMatchObject({ room_id: roomId, membership: 'join' });
      expect(await succeeded(ask(undefined, path)), path).not.toHaveProperty('membership');
    }
  const hidden = await alice.createRoom({ preset: 'private_chat' });
  for (const name of [hidden, '!nowhere', '#nowhere:localhost', '#nowhere:elsewhere'])
    expect(refusal(await ask(undefined, `v1/room_summary/${encodeURIComponent(name)}`)), name).toEqual([
      404,
      'M_NOT_FOUND',
    ]);
});

it('answers the rooms in common, by both names', async () => {
  const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  await succeeded(bob.post(`/join/${encodeURIComponent(roomId)}`));
  const found = { joined: [roomId], count: 1 };
  const query = `user_id=${encodeURIComponent(bob.userId)}`;
  expect(await succeeded(ask(alice, `v1/mutual_rooms?${query}`))).toEqual(found);
  expect(await succeeded(ask(alice, `unstable/uk.half-shot.msc2666/user/mutual_rooms?${query}`))).toEqual(found);
  expect(refusal(await ask(alice, 'v1/mutual_rooms'))).toEqual([400, 'M_MISSING_PARAM']);
  const own = `v1/mutual_rooms?user_id=${encodeURIComponent(alice.userId)}`;
  expect(refusal(await ask(alice, own))).toEqual([400, 'M_INVALID_PARAM']);
  expect(await succeeded(ask(undefined, 'versions'))).toMatchObject({
    unstable_features: {
      'org.matrix.msc3266': true,
      'uk.half-shot.msc2666.query_mutual_rooms': true,
      'uk.half-shot.msc2666.query_mutual_rooms.stable': true,
    },
  });
});
