import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
const suspended = [403, 'M_USER_SUSPENDED'];
const done = [200, undefined];

describe('a suspended account in rooms', () => {
  const running = useLoopbackServer();

  const call = (method: string, path: string, token: string, body: JsonObject = {}) =>
    requestJson(running.url, method, v3 + path, { token, ...(method === 'GET' ? {} : { body }) });

  async function register(username: string): Promise<string> {
    const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
    return String((await requestJson(running.url, 'POST', `${v3}/register`, { body })).json['access_token']);
  }

  async function registerAdministrator(): Promise<string> {
    const token = (await running.server.accounts.mintFirstAdministratorToken()) ?? '';
    const client = { address: '127.0.0.1', userAgent: undefined };
    const page = running.server.accounts.startPage;
    return (await page.createFirstAdministrator(token, 'admin', passwordOfTests, client)).accessToken;
  }

  async function createRoom(token: string, more: JsonObject = {}): Promise<string> {
    const { json } = await call('POST', '/createRoom', token, { preset: 'public_chat', ...more });
    return `/rooms/${encodeURIComponent(String(json['room_id']))}`;
  }

  async function say(room: string, token: string, txnId: string): Promise<string> {
    const sent = await call('PUT', `${room}/send/m.room.message/${txnId}`, token, { msgtype: 'm.text', body: 'x' });
    return encodeURIComponent(String(sent.json['event_id']));
  }

  const setSuspended = (admin: string, isSuspended: boolean) =>
    requestJson(running.url, 'PUT', '/_matrix/client/v1/admin/suspend/@alice:localhost', {
      token: admin,
      body: { suspended: isSuspended },
    });

  async function setUp() {
    const [admin, alice, bob] = [await registerAdministrator(), await register('alice'), await register('bob')];
    const own = await createRoom(alice);
    expect(refusal(await call('POST', `${own}/join`, bob))).toEqual(done);
    const ownEvent = await say(own, alice, 'a');
    const othersEvent = await say(own, bob, 'b');
    const otherRoom = await createRoom(bob, { invite: ['@alice:localhost'] });
    await setSuspended(admin, true);
    return { admin, alice, bob, own, ownEvent, othersEvent, otherRoom };
  }

  it('does nothing that others notice', async () => {
    const { admin, alice, own, othersEvent, otherRoom } = await setUp();
    const bob = { user_id: '@bob:localhost' };
    const attempts: (readonly [string, string, JsonObject])[] = [
      ['PUT', `${own}/send/m.room.message/1`, { msgtype: 'm.text', body: 'x' }],
      ['PUT', `${own}/send/m.room.redaction/2`, {}],
      ['PUT', `${own}/state/m.room.topic`, { topic: 'x' }],
      ['PUT', `${own}/state/m.room.member/@alice:localhost`, { membership: 'join', displayname: 'x' }],
      ['PUT', `${own}/redact/${othersEvent}/3`, {}],
      ['POST', `${own}/invite`, { user_id: '@admin:localhost' }],
      ['POST', `${own}/kick`, bob],
      ['POST', `${own}/ban`, bob],
      ['POST', `${own}/unban`, bob],
      ['POST', `${otherRoom}/join`, {}],
      ['POST', otherRoom.replace('/rooms/', '/join/'), {}],
      ['POST', '/createRoom', {}],
      ['POST', `${own}/upgrade`, { new_version: '12' }],
      ['PUT', own.replace('/rooms/', '/directory/list/room/'), { visibility: 'public' }],
      ['PUT', '/directory/room/%23here:localhost', { room_id: decodeURIComponent(own.slice('/rooms/'.length)) }],
      ['DELETE', '/directory/room/%23here:localhost', {}],
    ];
    for (const [method, path, body] of attempts)
      expect([path, refusal(await call(method, path, alice, body))]).toEqual([path, suspended]);
    await setSuspended(admin, false);
    expect(refusal(await call('PUT', `${own}/state/m.room.topic`, alice, { topic: 'x' }))).toEqual(done);
    expect(refusal(await call('PUT', `${own}/redact/${othersEvent}/3`, alice))).toEqual(done);
  });

  it('reads, tells what it has read, takes back what it said, and leaves', async () => {
    const { alice, own, ownEvent, othersEvent, otherRoom } = await setUp();
    const allowed: (readonly [string, string, JsonObject])[] = [
      ['GET', '/sync', {}],
      ['GET', `${own}/messages?dir=b`, {}],
      ['GET', `${own}/state`, {}],
      ['PUT', `${own}/typing/@alice:localhost`, { typing: true, timeout: 1000 }],
      ['POST', `${own}/receipt/m.read/${othersEvent}`, {}],
      ['POST', `${own}/read_markers`, {}],
      ['PUT', `${own}/redact/${ownEvent}/1`, {}],
      ['POST', `${otherRoom}/leave`, {}],
      ['POST', `${own}/leave`, {}],
      ['POST', '/logout', {}],
    ];
    for (const [method, path, body] of allowed)
      expect([path, refusal(await call(method, path, alice, body))]).toEqual([path, done]);
  });

  it('learns nothing of events that it may not see', async () => {
    const { alice, bob } = await setUp();
    const room = await createRoom(bob, { preset: 'private_chat' });
    const path = `${room}/redact/${await say(room, bob, 'c')}/1`;
    expect(refusal(await call('PUT', path, alice))).toEqual([404, 'M_NOT_FOUND']);
  });
});
