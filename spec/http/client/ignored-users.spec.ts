import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests } from '../../support/test-accounts.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';

describe('ignoring users over HTTP', () => {
  let running: LoopbackServer | undefined;
  afterEach(() => running?.close());

  it('takes effect with the answer to the change, for invites and messages', async () => {
    const { url } = (running = await startLoopbackServer());
    const call = async (method: string, path: string, token: string, body?: JsonObject): Promise<JsonObject> => {
      const { status, json } = await requestJson(url, method, v3 + path, {
        token,
        ...(body === undefined ? {} : { body }),
      });
      expect(status).toBe(200);
      return json;
    };
    const register = async (username: string): Promise<string> => {
      const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
      return String((await requestJson(url, 'POST', `${v3}/register`, { body })).json['access_token']);
    };
    const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')];
    const room = String((await call('POST', '/createRoom', alice, { preset: 'public_chat' }))['room_id']);
    await call('POST', `/join/${encodeURIComponent(room)}`, bob, {});
    const { next_batch: since } = await call('GET', '/sync', alice);
    await call('PUT', '/user/@alice:localhost/account_data/m.ignored_user_list', alice, {
      ignored_users: { '@bob:localhost': {} },
    });
    const invite = { preset: 'private_chat', invite: ['@alice:localhost'] };
    await call('POST', '/createRoom', bob, invite);
    const fromCarol = String((await call('POST', '/createRoom', carol, invite))['room_id']);
    const message = { msgtype: 'm.text', body: 'unheard' };
    await call('PUT', `/rooms/${encodeURIComponent(room)}/send/m.room.message/1`, bob, message);
    const news = await call('GET', `/sync?since=${String(since)}`, alice);
    expect(Object.keys((news['rooms'] as { invite?: JsonObject }).invite ?? {})).toEqual([fromCarol]);
    expect(JSON.stringify(news)).not.toContain('unheard');
    const page = await call('GET', `/rooms/${encodeURIComponent(room)}/messages?dir=b`, alice);
    expect(JSON.stringify(page)).not.toContain('unheard');
    expect(JSON.stringify(await call('GET', `/rooms/${encodeURIComponent(room)}/messages?dir=b`, bob))).toContain(
      'unheard',
    );
  });
});
