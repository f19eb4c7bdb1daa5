import { expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

const running = useLoopbackServer();

it('what is served below v3 is found below r0 too, hot paths and others, and nothing else is', async () => {
  const alice = await TestClient.register(running, 'alice');
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  const ask = (method: string, path: string) =>
    requestJson(running.url, method, `/_matrix/client/r0${path}`, {
      token: alice.token,
      ...(method === 'GET' ? {} : { body: { msgtype: 'm.text', body: 'hello' } }),
    });
  const room = roomPath(roomId);
  expect(await succeeded(ask('GET', `${room}/joined_members`))).toHaveProperty(['joined', alice.userId]);
  expect(await succeeded(ask('PUT', `${room}/send/m.room.message/1`))).toHaveProperty('event_id');
  expect(await succeeded(ask('GET', `${room}/messages?dir=b`))).toHaveProperty('chunk');
  expect(await succeeded(ask('GET', '/sync'))).toHaveProperty(['rooms', 'join', roomId]);
  expect(refusal(await ask('GET', '/no/such/path'))).toEqual([404, 'M_UNRECOGNIZED']);
  expect(refusal(await ask('GET', `${room}/leave`))).toEqual([405, 'M_UNRECOGNIZED']);
});
