import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { nothingNew } from '../../support/test-rooms.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';

describe('presence over HTTP', () => {
  let running: LoopbackServer | undefined;
  afterEach(() => running?.close());

  const start = async (config: Readonly<Record<string, string>> = {}) => {
    const { url } = (running = await startLoopbackServer({ config }));
    const call = (method: string, path: string, token: string, body?: JsonObject, query?: Record<string, string>) =>
      requestJson(url, method, v3 + path, {
        token,
        ...(body === undefined ? {} : { body }),
        ...(query === undefined ? {} : { query }),
      });
    const register = async (username: string): Promise<string> => {
      const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
      return String((await requestJson(url, 'POST', `${v3}/register`, { body })).json['access_token']);
    };
    const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')];
    const room = await call('POST', '/createRoom', alice, { preset: 'public_chat' });
    await call('POST', `/join/${encodeURIComponent(String(room.json['room_id']))}`, bob, {});
    const status = (name: string) => `/presence/@${name}:localhost/status`;
    const sync = async (token: string, query: Record<string, string> = {}) =>
      (await call('GET', '/sync', token, undefined, { set_presence: 'offline', ...query })).json;
    return { call, alice, bob, carol, status, sync };
  };

  it('is set, read and told', async () => {
    const { call, alice, bob, carol, status, sync } = await start();
    const { next_batch: since } = await sync(alice);
    expect((await call('GET', status('bob'), alice)).json).toEqual({ presence: 'offline' });
    expect((await call('PUT', status('bob'), bob, { presence: 'online', status_msg: 'hi' })).json).toEqual({});
    expect((await call('GET', status('bob'), alice)).json).toMatchObject({
      presence: 'online',
      status_msg: 'hi',
      currently_active: true,
    });
    expect(refusal(await call('GET', status('bob'), carol))).toEqual([403, 'M_FORBIDDEN']);
    const news = await sync(alice, { since: String(since), timeout: '30000' });
    expect(news['presence']).toMatchObject({
      events: [{ type: 'm.presence', sender: '@bob:localhost', content: { presence: 'online', status_msg: 'hi' } }],
    });
  });

  it('is set by /sync, online when nothing is said', async () => {
    const { call, alice, bob, status } = await start();
    const presence = async () => (await call('GET', status('bob'), alice)).json['presence'];
    const syncAs = (set?: string) =>
      call('GET', '/sync', bob, undefined, set === undefined ? {} : { set_presence: set });
    await syncAs('offline');
    expect(await presence()).toBe('offline');
    await syncAs('unavailable');
    expect(await presence()).toBe('unavailable');
    await syncAs();
    expect(await presence()).toBe('online');
    expect(refusal(await syncAs('busy'))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('refuses what cannot be', async () => {
    const { call, alice, bob, status } = await start();
    const put = async (body: JsonObject, token = bob) => refusal(await call('PUT', status('bob'), token, body));
    expect(await put({ presence: 'online' }, alice)).toEqual([403, 'M_FORBIDDEN']);
    expect(await put({})).toEqual([400, 'M_MISSING_PARAM']);
    expect(await put({ presence: 'away' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await put({ presence: 'online', status_msg: 1 })).toEqual([400, 'M_BAD_JSON']);
    expect(await put({ presence: 'online', status_msg: 'x'.repeat(1_001) })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await put({ presence: 'online', status_msg: null })).toEqual([200, undefined]);
  });

  it('does not exist where it is switched off', async () => {
    const { call, alice, bob, carol, status, sync } = await start({ presence: '{ enabled: false }' });
    const { next_batch: since } = await sync(alice);
    expect((await call('PUT', status('bob'), bob, { presence: 'online' })).json).toEqual({});
    await call('GET', '/sync', bob);
    expect((await call('GET', status('bob'), alice)).json).toEqual({ presence: 'offline' });
    expect(refusal(await call('GET', status('bob'), carol))).toEqual([403, 'M_FORBIDDEN']);
    expect(await sync(alice, { since: String(since) })).toEqual({ ...nothingNew, next_batch: since });
  });
});
