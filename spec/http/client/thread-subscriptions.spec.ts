import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
const unstable = '/_matrix/client/unstable';

describe('threads that people follow over HTTP', () => {
  const running = useLoopbackServer();
  const call = (method: string, path: string, token?: string, body?: JsonObject) =>
    requestJson(running.url, method, path, {
      ...(token === undefined ? {} : { token }),
      ...(body === undefined ? {} : { body }),
    });

  it('are followed, listed in pages, from where sliding sync left off, and followed no longer', async () => {
    const register = { auth: { type: 'm.login.dummy' }, username: 'alice', password: passwordOfTests };
    const token = String((await call('POST', `${v3}/register`, undefined, register)).json['access_token']);
    const roomId = String((await call('POST', `${v3}/createRoom`, token, {})).json['room_id']);
    const inRoom = `rooms/${encodeURIComponent(roomId)}`;
    const say = async (body: string): Promise<string> =>
      String((await call('PUT', `${v3}/${inRoom}/send/m.room.message/${body}`, token, { body })).json['event_id']);
    const [first, second] = [await say('first'), await say('second')];
    const pathOf = (root: string): string =>
      `${unstable}/io.element.msc4306/${inRoom}/thread/${encodeURIComponent(root)}/subscription`;
    expect((await call('PUT', pathOf(first), token, {})).json).toEqual({});
    const sliding = await call('POST', `${unstable}/org.matrix.simplified_msc3575/sync`, token, {});
    const pos = encodeURIComponent(String(sliding.json['pos']));
    expect((await call('PUT', pathOf(second), token, {})).json).toEqual({});
    expect((await call('GET', pathOf(second), token)).json).toEqual({ automatic: false });
    const list = `${unstable}/io.element.msc4308/thread_subscriptions`;
    const told = { automatic: false, bump_stamp: expect.any(Number) as number };
    const since = await call('GET', `${list}?dir=b&to=${pos}`, token);
    expect(since.json).toEqual({ subscribed: { [roomId]: { [second]: told } }, unsubscribed: {} });
    const page = await call('GET', `${list}?dir=b&limit=1`, token);
    expect(page.json).toMatchObject({ subscribed: { [roomId]: { [second]: told } } });
    const rest = await call('GET', `${list}?dir=b&from=${String(page.json['end'])}`, token);
    expect(rest.json).toEqual({ subscribed: { [roomId]: { [first]: told } }, unsubscribed: {} });
    expect((await call('DELETE', pathOf(first), token)).json).toEqual({});
    expect(refusal(await call('GET', pathOf(first), token))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('PUT', pathOf(first), token, { automatic: 5 }))).toEqual([400, 'M_BAD_JSON']);
    for (const query of ['', '?dir=f', '?dir=b&limit=0', '?dir=b&from=x', '?dir=b&to=x'])
      expect((await call('GET', list + query, token)).status, query).toBe(400);
  });
});
