/** Somebody leaves for good and takes their words with them, as far as those are concerned who come later. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { type SimulatedServer, startWorld, type World } from '../simulation/world.ts';

interface Person {
  readonly userId: string;
  readonly token: string;
}

const password = 'correct horse battery staple';
const secret = 'something that eve wrote';

let folder: string;
let world: World;
let server: SimulatedServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veche-erasure-'));
  world = await startWorld({ seed: 1, folder, serverNames: ['a.test'] });
  server = world.servers[0]!;
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

it('shows what an erased user wrote to those who were there, and to nobody else, also after a restart', async () => {
  const [eve, bob] = [await register('eve'), await register('bob')];
  const roomId = String((await call(eve, 'POST', '/createRoom', { preset: 'public_chat' }))['room_id']);
  const room = `/rooms/${encodeURIComponent(roomId)}`;
  await call(bob, 'POST', `${room}/join`, {});
  await call(eve, 'PUT', `/profile/${eve.userId}/displayname`, { displayname: secret });
  const content = { msgtype: 'm.text', body: secret };
  const eventId = String((await call(eve, 'PUT', `${room}/send/m.room.message/1`, content))['event_id']);
  const { next_batch: since } = await call(bob, 'GET', '/sync');

  const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'eve' }, password };
  await call(eve, 'POST', '/account/deactivate', { auth, erase: true });
  const dave = await register('dave');
  await call(dave, 'POST', `${room}/join`, {});

  const paths = [
    `${room}/messages?dir=b&limit=50`,
    `${room}/event/${encodeURIComponent(eventId)}`,
    `${room}/context/${encodeURIComponent(eventId)}`,
    '/sync?full_state=true',
  ];
  const expectAll = async (): Promise<void> => {
    for (const path of paths) {
      expect([path, await text(bob, path)]).toEqual([path, expect.stringContaining(secret)]);
      const newcomers = await text(dave, path);
      expect([path, newcomers]).toEqual([path, expect.stringContaining(eventId)]);
      expect([path, newcomers]).toEqual([path, expect.not.stringContaining(secret)]);
    }
    for (const path of [`${room}/state`, `${room}/members`])
      expect([path, await text(dave, path)]).toEqual([path, expect.not.stringContaining(secret)]);
  };
  await expectAll();
  await server.restart();
  await expectAll();
  expect(await text(bob, `/sync?since=${String(since)}`)).toContain(eve.userId);
});

async function register(username: string): Promise<Person> {
  const body = { auth: { type: 'm.login.dummy' }, username, password };
  const { json } = await server.request('POST', '/_matrix/client/v3/register', { body });
  return { userId: String(json['user_id']), token: String(json['access_token']) };
}

async function call({ token }: Person, method: string, path: string, body?: JsonObject): Promise<JsonObject> {
  const request = { token, ...(body === undefined ? {} : { body }) };
  const { status, json } = await server.request(method, `/_matrix/client/v3${path}`, request);
  expect([path, status, json]).toEqual([path, 200, json]);
  return json;
}

async function text(person: Person, path: string): Promise<string> {
  return JSON.stringify(await call(person, 'GET', path));
}
