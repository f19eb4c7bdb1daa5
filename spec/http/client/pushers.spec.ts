import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests } from '../../support/test-accounts.ts';
import { succeeded, TestClient } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

const phone = {
  kind: 'http',
  app_id: 'org.example.app',
  pushkey: 'key',
  app_display_name: 'An app',
  device_display_name: 'A phone',
  lang: 'en',
  data: { url: 'https://push.example.org/_matrix/push/v1/notify', format: 'event_id_only', brand: 'x' },
};
const shown = { ...phone, 'org.matrix.msc3881.enabled': true };

describe('pushers over HTTP', () => {
  const at = useLoopbackServer();
  const pushersOf = async (client: TestClient): Promise<JsonObject[]> =>
    ((await succeeded(client.get('/pushers')))['pushers'] as JsonObject[]).map((pusher) => {
      const { 'org.matrix.msc3881.device_id': device, ...rest } = pusher;
      expect(typeof device).toBe('string');
      return rest;
    });
  const logIn = async (client: TestClient): Promise<{ token: string; deviceId: string }> => {
    const identifier = { type: 'm.id.user', user: client.userId };
    const body = { type: 'm.login.password', identifier, password: passwordOfTests };
    const { json } = await requestJson(at.url, 'POST', '/_matrix/client/v3/login', { body });
    return { token: String(json['access_token']), deviceId: String(json['device_id']) };
  };
  const setWith = (token: string, body: JsonObject) =>
    requestJson(at.url, 'POST', '/_matrix/client/v3/pushers/set', { token, body });

  it('are made, changed and removed by app and pushkey', async () => {
    const alice = await TestClient.register(at, 'alice');
    expect(await pushersOf(alice)).toEqual([]);
    await succeeded(alice.post('/pushers/set', phone));
    await succeeded(alice.post('/pushers/set', { ...phone, pushkey: 'other' }));
    await succeeded(
      alice.post('/pushers/set', { ...phone, lang: 'uk', profile_tag: 'x', 'org.matrix.msc3881.enabled': false }),
    );
    expect(await pushersOf(alice)).toEqual([
      { ...shown, lang: 'uk', profile_tag: 'x', 'org.matrix.msc3881.enabled': false },
      { ...shown, pushkey: 'other' },
    ]);
    await succeeded(alice.post('/pushers/set', { kind: null, app_id: phone.app_id, pushkey: 'key' }));
    await succeeded(alice.post('/pushers/set', { kind: null, app_id: phone.app_id, pushkey: 'never there' }));
    expect(await pushersOf(alice)).toEqual([{ ...shown, pushkey: 'other' }]);
  });

  it('leave the other users of a phone, unless appended', async () => {
    const [alice, bob] = [await TestClient.register(at, 'alice'), await TestClient.register(at, 'bob')];
    await succeeded(alice.post('/pushers/set', phone));
    await succeeded(bob.post('/pushers/set', { ...phone, append: true }));
    expect([await pushersOf(alice), await pushersOf(bob)]).toEqual([[shown], [shown]]);
    await succeeded(bob.post('/pushers/set', phone));
    expect([await pushersOf(alice), await pushersOf(bob)]).toEqual([[], [shown]]);
    await succeeded(alice.post('/pushers/set', { ...phone, app_id: 'other' }));
    expect(await pushersOf(bob)).toEqual([shown]);
  });

  it('go with the device that set them last, however it goes', async () => {
    const alice = await TestClient.register(at, 'alice');
    const [second, third, fourth] = [await logIn(alice), await logIn(alice), await logIn(alice)];
    for (const [pushkey, { token }] of Object.entries({ second, third, fourth }))
      await succeeded(setWith(token, { ...phone, pushkey }));
    await succeeded(alice.post('/pushers/set', { ...phone, pushkey: 'third' }));
    const keys = async () => (await pushersOf(alice)).map(({ pushkey }) => pushkey);
    await requestJson(at.url, 'POST', '/_matrix/client/v3/logout', { token: second.token });
    expect(await keys()).toEqual(['third', 'fourth']);
    await requestJson(at.url, 'POST', '/_matrix/client/v3/logout', { token: third.token });
    expect(await keys()).toEqual(['third', 'fourth']);
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: alice.userId },
      password: passwordOfTests,
    };
    await succeeded(alice.post('/account/password', { new_password: 'An0ther one', logout_devices: true, auth }));
    expect(await keys()).toEqual(['third']);
  });

  it('tell which device set them', async () => {
    const alice = await TestClient.register(at, 'alice');
    const { token, deviceId } = await logIn(alice);
    await succeeded(setWith(token, phone));
    const [pusher] = (await succeeded(alice.get('/pushers')))['pushers'] as JsonObject[];
    expect(pusher?.['org.matrix.msc3881.device_id']).toBe(deviceId);
  });

  it('are refused where nothing could be sent', async () => {
    const alice = await TestClient.register(at, 'alice');
    const refusalOf = async (change: JsonObject): Promise<unknown> => {
      const { status, json } = await alice.post('/pushers/set', { ...phone, ...change });
      expect(status).toBe(400);
      return json['errcode'];
    };
    const data = (url: string) => ({ data: { url } });
    expect(await refusalOf({ data: {} })).toBe('M_MISSING_PARAM');
    for (const url of [
      'http://push.example.org/_matrix/push/v1/notify',
      'https://push.example.org/',
      'https://user:password@push.example.org/_matrix/push/v1/notify',
      'ftp://push.example.org/_matrix/push/v1/notify',
      'no url',
    ])
      expect(await refusalOf(data(url))).toBe('M_INVALID_PARAM');
    expect(await refusalOf({ kind: 'pigeon' })).toBe('M_INVALID_PARAM');
    expect(await refusalOf({ app_id: 'x'.repeat(65) })).toBe('M_INVALID_PARAM');
    expect(await refusalOf({ pushkey: 'x'.repeat(513) })).toBe('M_INVALID_PARAM');
    expect(await refusalOf({ data: { ...phone.data, more: 'x'.repeat(10_000) } })).toBe('M_INVALID_PARAM');
    expect(await refusalOf({ lang: null })).toBe('M_BAD_JSON');
    expect((await alice.post('/pushers/set', { app_id: 'x', pushkey: 'y' })).json['errcode']).toBe('M_MISSING_PARAM');
    for (let i = 0; i < 50; i++) await succeeded(alice.post('/pushers/set', { ...phone, pushkey: `key${i}` }));
    expect(await refusalOf({ pushkey: 'one more' })).toBe('M_UNKNOWN');
    expect(await pushersOf(alice)).toHaveLength(50);
  });
});

describe('a server of an isolated network', () => {
  const at = useLoopbackServer({ config: { push: '{ allow_insecure_gateways: true }' } });
  it('takes gateways without TLS', async () => {
    const alice = await TestClient.register(at, 'alice');
    const data = { url: 'http://10.0.0.1:5000/_matrix/push/v1/notify' };
    await succeeded(alice.post('/pushers/set', { ...phone, data }));
  });
});
