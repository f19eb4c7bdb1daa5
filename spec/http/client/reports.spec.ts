import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
const done = [200, undefined];
const missing = [404, 'M_NOT_FOUND'];

describe('reports over HTTP', () => {
  let running: LoopbackServer | undefined;
  afterEach(() => running?.close());

  const start = async (config: Record<string, string> = {}) => {
    const { url } = (running = await startLoopbackServer({ config }));
    const call = (method: string, path: string, token: string, body: JsonObject) =>
      requestJson(url, method, v3 + path, { token, body });
    const register = async (username: string): Promise<string> => {
      const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
      return String((await requestJson(url, 'POST', `${v3}/register`, { body })).json['access_token']);
    };
    const [alice, bob] = [await register('alice'), await register('bob')];
    const { json } = await call('POST', '/createRoom', alice, { preset: 'public_chat' });
    const room = `/rooms/${encodeURIComponent(String(json['room_id']))}`;
    const sent = await call('PUT', `${room}/send/m.room.message/1`, alice, { msgtype: 'm.text', body: 'x' });
    const event = encodeURIComponent(String(sent.json['event_id']));
    const report = async (path: string, body: JsonObject = {}, token = bob) =>
      refusal(await call('POST', `${path}/report`, token, body));
    return { call, alice, bob, room, event, report };
  };

  it('are taken of rooms, events and users', async () => {
    const { call, bob, room, event, report } = await start();
    const reportEvent = async (body: JsonObject) => refusal(await call('POST', `${room}/report/${event}`, bob, body));
    expect(await report(room, { reason: 'this makes me sad' })).toEqual(done);
    expect(await report('/rooms/!unknown:localhost', { reason: '' })).toEqual(missing);
    expect(await reportEvent({})).toEqual(missing);
    await call('POST', `${room}/join`, bob, {});
    expect(await reportEvent({})).toEqual(done);
    expect(await reportEvent({ reason: 'sad', score: -100 })).toEqual(done);
    expect(await report('/users/@alice:localhost', { reason: '' })).toEqual(done);
    expect(await report('/users/@nobody:localhost', { reason: 'x' })).toEqual(missing);
    expect(await report('/users/@nobody:elsewhere', { reason: 'x' })).toEqual(missing);
  });

  it('need a reason of a bounded length, except those of events', async () => {
    const { call, alice, room, event, report } = await start();
    for (const path of [room, '/users/@alice:localhost']) {
      expect(await report(path)).toEqual([400, 'M_MISSING_PARAM']);
      expect(await report(path, { reason: 1 })).toEqual([400, 'M_BAD_JSON']);
      expect(await report(path, { reason: 'x'.repeat(10_001) })).toEqual([400, 'M_INVALID_PARAM']);
    }
    const wrong = await call('POST', `${room}/report/${event}`, alice, { score: 'bad' });
    expect(refusal(wrong)).toEqual([400, 'M_BAD_JSON']);
    expect(await report('/users/alice', { reason: 'x' })).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('are limited in number', async () => {
    const { report } = await start({ rate_limits: '{ report: { per_second: 0.001, burst: 2 } }' });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await report('/users/@alice:localhost', { reason: 'x' }));
    expect(answers).toEqual([done, done, [429, 'M_LIMIT_EXCEEDED']]);
  });
});
