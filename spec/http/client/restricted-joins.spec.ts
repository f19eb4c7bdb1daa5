import { expect, it } from 'vitest';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';

const running = useLoopbackServer();

it('the members of a space join its rooms by themselves, and others are told why not', async () => {
  const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
  const space = await alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' } });
  const restricted = (roomId: JsonValue) =>
    alice.createRoom({
      initial_state: [
        {
          type: 'm.room.join_rules',
          content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: roomId }] },
        },
      ],
    });
  const [room, elsewhere] = [await restricted(space), await restricted('!nowhere:localhost')];
  expect(refusal(await bob.post(`${roomPath(room)}/join`))).toEqual([403, 'M_FORBIDDEN']);
  expect(refusal(await bob.post(`/join/${encodeURIComponent(elsewhere)}`))).toEqual([
    400,
    'M_UNABLE_TO_AUTHORISE_JOIN',
  ]);
  await succeeded(bob.post(`${roomPath(space)}/join`));
  // What only the server says is not taken from the client.
  const body = { reason: 'hello', join_authorised_via_users_server: bob.userId };
  expect(await succeeded(bob.post(`${roomPath(room)}/join`, body))).toEqual({ room_id: room });
  expect(await succeeded(bob.get(`${roomPath(room)}/state/m.room.member/${bob.userId}`))).toEqual({
    membership: 'join',
    displayname: 'bob',
    reason: 'hello',
    join_authorised_via_users_server: alice.userId,
  });
});
