import { expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';

const running = useLoopbackServer();

it('POST /rooms/{roomId}/forget takes a room that was left out of reach, for suspended users too', async () => {
  const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
  const admin = await TestClient.registerAdministrator(running);
  const room = roomPath(await alice.createRoom({ preset: 'public_chat' }));
  await succeeded(bob.post(`${room}/join`));
  expect(refusal(await bob.post(`${room}/forget`))).toEqual([400, 'M_UNKNOWN']);
  expect(refusal(await bob.post('/rooms/nonsense/forget'))).toEqual([400, 'M_INVALID_PARAM']);
  await succeeded(bob.post(`${room}/leave`));
  await succeeded(bob.get(`${room}/messages`, { dir: 'b' }));
  expect(refusal(await bob.get(`${room}/messages`))).toEqual([400, 'M_MISSING_PARAM']);
  await admin.setSuspended(bob.userId, true);
  expect(await succeeded(bob.post(`${room}/forget`))).toEqual({});
  expect(refusal(await bob.get(`${room}/messages`, { dir: 'b' }))).toEqual([403, 'M_FORBIDDEN']);
  expect(refusal(await bob.get(`${room}/messages`))).toEqual([403, 'M_FORBIDDEN']);
  const filter = JSON.stringify({ room: { include_leave: true } });
  expect((await succeeded(bob.get('/sync', { filter })))['rooms']).toBeUndefined();
});
