import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { requestJson } from '../../support/test-server.ts';

const v3 = '/_matrix/client/v3';
const unstable = '/_matrix/client/unstable/org.matrix.msc4140';
const stable = '/_matrix/client/v1';
const delay = 'org.matrix.msc4140.delay';

describe('delayed events over HTTP', () => {
  const running = useLoopbackServer({ config: { delayed_events: '{ delay_ms_max: 100000, scheduled_max: 3 }' } });
  const call = (method: string, path: string, token?: string, body?: JsonObject) =>
    requestJson(running.url, method, path, {
      ...(token === undefined ? {} : { token }),
      ...(body === undefined ? {} : { body }),
    });
  const start = async () => {
    const register = async (username: string): Promise<string> => {
      const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
      return String((await call('POST', `${v3}/register`, undefined, body)).json['access_token']);
    };
    const [alice, bob] = [await register('alice'), await register('bob')];
    const roomId = encodeURIComponent(String((await call('POST', `${v3}/createRoom`, alice, {})).json['room_id']));
    const delayIdOf = async (path: string, body: JsonObject = {}): Promise<string> => {
      const { json } = await call('PUT', path, alice, body);
      expect(Object.keys(json)).toEqual(['delay_id']);
      return String(json['delay_id']);
    };
    const scheduled = async (token = alice): Promise<readonly JsonObject[]> =>
      (await call('GET', `${stable}/delayed_events`, token)).json['delayed_events'] as JsonObject[];
    return { alice, bob, roomId, rooms: `${v3}/rooms/${roomId}`, delayIdOf, scheduled };
  };

  it('are scheduled in both ways, for messages and state', async () => {
    const { alice, rooms, roomId, delayIdOf, scheduled } = await start();
    const ids = [
      await delayIdOf(`${rooms}/send/m.room.message/1?${delay}=10000`, { body: 'a' }),
      await delayIdOf(`${rooms}/state/org.example.state/key?${delay}=20000`, { a: 1 }),
      await delayIdOf(`${rooms}/delayed_event/org.example.state/1`, { delay_ms: 30_000, state_key: '', content: {} }),
    ];
    expect(await scheduled()).toMatchObject([
      {
        delay_id: ids[0],
        room_id: decodeURIComponent(roomId),
        type: 'm.room.message',
        delay_ms: 10_000,
        content: { body: 'a' },
      },
      { delay_id: ids[1], type: 'org.example.state', state_key: 'key', delay_ms: 20_000, content: { a: 1 } },
      { delay_id: ids[2], type: 'org.example.state', state_key: '', delay_ms: 30_000, content: {} },
    ]);
    // Repeated requests are answered as the first ones, also without a body.
    expect(await delayIdOf(`${rooms}/send/m.room.message/1?${delay}=10000`)).toBe(ids[0]);
    const again = { delay_ms: 30_000, state_key: '', content: {} };
    const path = `${unstable}/rooms/${roomId}/delayed_event/org.example.state/1`;
    expect((await call('PUT', path, alice, again)).json).toEqual({ delay_id: ids[2] });
    expect((await call('GET', `${unstable}/delayed_events?status=scheduled`, alice)).json['scheduled']).toHaveLength(3);
  });

  it('are sent by themselves', async () => {
    const { alice, rooms, delayIdOf, scheduled } = await start();
    const delayId = await delayIdOf(`${rooms}/state/org.example.state/key?${delay}=50`, { a: 1 });
    while ((await scheduled()).length > 0);
    expect((await call('GET', `${rooms}/state/org.example.state/key`, alice)).json).toEqual({ a: 1 });
    const { json } = await call('GET', `${unstable}/delayed_events/${delayId}`, alice);
    expect(json).toMatchObject({ delay_id: delayId, event_id: expect.any(String) as string });
  });

  it('are managed by their owner, and at the unstable path by whoever knows the delay id', async () => {
    const { alice, bob, rooms, delayIdOf, scheduled } = await start();
    const delayId = await delayIdOf(`${rooms}/send/m.room.message/1?${delay}=10000`, { body: 'a' });
    const act = (base: string, action: string, token?: string) =>
      call('POST', `${base}/delayed_events/${delayId}/${action}`, token, {});
    expect(refusal(await act(stable, 'cancel'))).toEqual([401, 'M_MISSING_TOKEN']);
    expect(refusal(await act(stable, 'cancel', bob))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await act(unstable, 'cancel', bob))).toEqual([404, 'M_NOT_FOUND']);
    for (const base of [stable, unstable])
      expect(refusal(await act(base, 'oops', alice))).toEqual([404, 'M_UNRECOGNIZED']);
    expect((await act(unstable, 'restart')).json).toEqual({});
    expect((await act(stable, 'restart', alice)).json).toEqual({});
    expect((await act(unstable, 'send')).json).toEqual({});
    expect(await scheduled()).toEqual([]);
    expect((await act(stable, 'send', alice)).json).toEqual({});
    expect(refusal(await act(stable, 'restart', alice))).toEqual([409, 'M_UNKNOWN']);
    expect(refusal(await act(unstable, 'restart', alice))).toEqual([404, 'M_NOT_FOUND']);
    const finalised = (await call('GET', `${unstable}/delayed_events?status=finalised`, alice)).json['finalised'];
    expect(finalised).toMatchObject([{ outcome: 'send', reason: 'action', delayed_event: { delay_id: delayId } }]);
  });

  it('are refused, and nothing is sent at once, where the delay is none', async () => {
    const { alice, rooms, scheduled } = await start();
    const wrong = ['', '0', '-1', '1.5', 'soon', '1e3', '99999999999999999'].map((value) => `${delay}=${value}`);
    const unsupported = ['delay=1000', 'delay_ms=1000', 'org.matrix.msc4140.parent_delay_id=x'];
    for (const query of [...wrong, ...unsupported]) {
      for (const path of ['send/m.room.message/1', 'state/m.room.message/', 'redact/$x/1']) {
        const reply = await call('PUT', `${rooms}/${path}?${query}`, alice, { body: 'now' });
        expect(refusal(reply), `${path}?${query}`).toEqual([400, 'M_INVALID_PARAM']);
      }
    }
    expect(refusal(await call('PUT', `${rooms}/redact/$x/1?${delay}=1000`, alice, {}))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    const bodies: [JsonObject, string][] = [
      [{ content: {} }, 'M_MISSING_PARAM'],
      [{ delay_ms: 1000 }, 'M_MISSING_PARAM'],
      [{ delay_ms: 0, content: {} }, 'M_INVALID_PARAM'],
      [{ delay_ms: '1000', content: {} }, 'M_BAD_JSON'],
      [{ delay_ms: 1.5, content: {} }, 'M_BAD_JSON'],
      [{ delay_ms: 1000, content: [] }, 'M_BAD_JSON'],
      [{ delay_ms: 1000, content: {}, state_key: 1 }, 'M_BAD_JSON'],
    ];
    for (const [body, errcode] of bodies)
      expect(refusal(await call('PUT', `${rooms}/delayed_event/m.room.message/1`, alice, body))).toEqual([
        400,
        errcode,
      ]);
    expect(await scheduled()).toEqual([]);
    const { json } = await call('GET', `${rooms}/messages?dir=b&limit=1`, alice);
    expect(json).toMatchObject({ chunk: [{ type: expect.not.stringContaining('m.room.message') as string }] });
  });

  it('are limited, as clients of either way expect it, and the limits are known', async () => {
    const { alice, rooms, delayIdOf } = await start();
    const tooLong = { 'org.matrix.msc4140.errcode': 'M_MAX_DELAY_EXCEEDED', 'org.matrix.msc4140.max_delay': 100_000 };
    const byQuery = await call('PUT', `${rooms}/send/m.room.message/1?${delay}=100001`, alice, {});
    expect([byQuery.status, byQuery.json]).toMatchObject([400, { errcode: 'M_UNKNOWN', ...tooLong }]);
    const body = { delay_ms: 100_001, content: {} };
    const byBody = await call('PUT', `${rooms}/delayed_event/m.room.message/1`, alice, body);
    expect([byBody.status, byBody.json]).toMatchObject([403, { errcode: 'M_FORBIDDEN' }]);
    for (const txn of [1, 2, 3]) await delayIdOf(`${rooms}/send/m.room.message/${txn}?${delay}=100000`);
    const fourth = await call('PUT', `${rooms}/send/m.room.message/4?${delay}=100000`, alice, {});
    expect(refusal(fourth)).toEqual([429, 'M_LIMIT_EXCEEDED']);
    expect(Number(fourth.headers.get('retry-after'))).toBeGreaterThan(90);
    const { capabilities } = (await call('GET', `${v3}/capabilities`, alice)).json as { capabilities: JsonObject };
    const limits = { max_delay_ms: 100_000, max_scheduled: 3 };
    expect(capabilities).toMatchObject({ 'm.delayed_events': limits, 'org.matrix.msc4140.delayed_events': limits });
  });

  it('end with the account, and wait for nobody who is suspended', async () => {
    const { alice, rooms, delayIdOf } = await start();
    const { accounts } = running.server;
    const delayId = await delayIdOf(`${rooms}/send/m.room.message/1?${delay}=100`);
    const [admin, owner] = ['@admin:localhost' as UserId, '@alice:localhost' as UserId];
    await accounts.moderateAccount({ userId: admin }, owner, { isSuspended: true });
    expect(refusal(await call('PUT', `${rooms}/send/m.room.message/2?${delay}=100`, alice, {}))).toEqual([
      403,
      'M_USER_SUSPENDED',
    ]);
    const get = async () => (await call('GET', `${stable}/delayed_events/${delayId}`, alice)).json;
    while ((await get())['finalised_ts'] === undefined);
    expect(await get()).toMatchObject({ error: { errcode: 'M_USER_SUSPENDED' } });
  });
});
