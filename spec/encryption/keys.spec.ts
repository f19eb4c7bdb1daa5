import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { refusal } from '../support/test-accounts.ts';
import { freshKey, KeyDevice, oneTimeKeys } from './support/key-device.ts';
import { serverOn } from './support/server-on.ts';
import { requestJson } from '../support/test-server.ts';

const slidingPath = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';

/** https://spec.matrix.org/v1.19/client-server-api/#uploading-keys */
describeOnBothEngines('keys of devices', (engine) => {
  const startServer = serverOn(engine);
  const start = async () => {
    const server = await startServer();
    const [alice, bob] = [await KeyDevice.register(server, 'alice'), await KeyDevice.register(server, 'bob')];
    return { server, alice, bob };
  };

  it('are answered as they were uploaded, with the name of the device', async () => {
    const { alice, bob } = await start();
    expect(await alice.uploadKeys()).toEqual({ signed_curve25519: 0 });
    const phone = await alice.anotherDevice({ initial_device_display_name: 'Ålice "phone"' });
    await phone.uploadKeys({ device_keys: { ...phone.deviceKeys(), unsigned: { device_display_name: 'a lie' } } });
    await alice.anotherDevice();
    expect(await bob.query(alice.userId, bob.userId, '@nobody:localhost')).toEqual({
      device_keys: {
        [alice.userId]: {
          [alice.deviceId]: { ...alice.deviceKeys(), unsigned: {} },
          [phone.deviceId]: { ...phone.deviceKeys(), unsigned: { device_display_name: 'Ålice "phone"' } },
        },
        [bob.userId]: {},
        '@nobody:localhost': {},
      },
      failures: {},
      master_keys: {},
      self_signing_keys: {},
      user_signing_keys: {},
    });
    const some = { [alice.userId]: [phone.deviceId, 'UNKNOWN', phone.deviceId] };
    const { device_keys: found } = await bob.done('POST', '/keys/query', { device_keys: some });
    expect(Object.keys((found as JsonObject)[alice.userId] as JsonObject)).toEqual([phone.deviceId]);
    await phone.done('PUT', `/devices/${phone.deviceId}`, { display_name: 'renamed' });
    expect(await bob.query(alice.userId)).toHaveProperty(
      ['device_keys', alice.userId, phone.deviceId, 'unsigned', 'device_display_name'],
      'renamed',
    );
    await phone.done('POST', '/logout');
    expect((await bob.query(alice.userId))['device_keys']).toEqual({
      [alice.userId]: { [alice.deviceId]: { ...alice.deviceKeys(), unsigned: {} } },
    });
  });

  it('tell which servers could not be reached', async () => {
    const { alice } = await start();
    const failures = { 'far.example': { errcode: 'M_UNKNOWN', error: 'The server cannot be reached' } };
    expect(await alice.query('@somebody:far.example')).toMatchObject({ device_keys: {}, failures });
    const wanted = { one_time_keys: { '@somebody:far.example': { DEVICE: 'signed_curve25519' } } };
    expect(await alice.done('POST', '/keys/claim', wanted)).toEqual({ one_time_keys: {}, failures });
  });

  it('must be whole and of the one who uploads them', async () => {
    const { alice, bob } = await start();
    const keys = alice.deviceKeys();
    const upload = async (body: JsonObject) => refusal(await alice.post('/keys/upload', body));
    for (const [field, errcode] of [
      ['user_id', 'M_BAD_JSON'],
      ['device_id', 'M_BAD_JSON'],
      ['algorithms', 'M_BAD_JSON'],
      ['keys', 'M_BAD_JSON'],
      ['signatures', 'M_BAD_JSON'],
    ] as const)
      expect(await upload({ device_keys: { ...keys, [field]: undefined } })).toEqual([400, errcode]);
    expect(await upload({ device_keys: bob.deviceKeys() })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await upload({ device_keys: { ...keys, device_id: 'OTHER' } })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await upload({ device_keys: { ...keys, more: 1.5 } })).toEqual([400, 'M_BAD_JSON']);
    const long = 'x'.repeat(limits.deviceKeysBytesMax);
    expect(await upload({ device_keys: { ...keys, long } })).toEqual([413, 'M_TOO_LARGE']);
    expect(await upload({ one_time_keys: { 'no-name': 'key' } })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await upload({ one_time_keys: { 'a:\u0000': 'key' } })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await upload({ one_time_keys: { 'signed_curve25519:A': 1 } })).toEqual([400, 'M_BAD_JSON']);
    expect(await upload({ one_time_keys: { 'signed_curve25519:A': { key: long } } })).toEqual([413, 'M_TOO_LARGE']);
    expect(await upload({ fallback_keys: oneTimeKeys('A', 'B') })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await alice.uploadKeys({})).toEqual({ signed_curve25519: 0 });
    expect((await bob.query(alice.userId))['device_keys']).toEqual({ [alice.userId]: {} });
  });

  it('can be uploaded again, and no other one-time key under the same id', async () => {
    const { alice, bob } = await start();
    expect(await alice.uploadKeys({ one_time_keys: oneTimeKeys('A', 'B', 'C') })).toEqual({ signed_curve25519: 3 });
    expect(await alice.uploadKeys({ one_time_keys: oneTimeKeys('B', 'C', 'D') })).toEqual({ signed_curve25519: 4 });
    const other = { 'signed_curve25519:D': { key: 'another' }, 'signed_curve25519:E': { key: 'new' } };
    expect(refusal(await alice.post('/keys/upload', { one_time_keys: other }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await alice.uploadKeys({})).toEqual({ signed_curve25519: 4 });
    expect(await alice.uploadKeys({ one_time_keys: { 'x:D': 'text \u0000' } })).toEqual({ signed_curve25519: 4, x: 1 });
    await alice.uploadKeys();
    const { next_batch: since } = await alice.sync();
    await alice.uploadKeys();
    expect(await alice.sync(since)).not.toHaveProperty('device_lists');
    await alice.uploadKeys({ device_keys: alice.deviceKeys(freshKey()) });
    expect((await alice.sync(since)).device_lists).toEqual({ changed: [alice.userId], left: [] });
    expect(await bob.claim(alice, 'x')).toEqual(['x:D']);
  });

  it('are limited in number', async () => {
    const { alice } = await start();
    const ids = Array.from({ length: limits.oneTimeKeysMax - 1 }, (_, i) => `id${i}`);
    expect(await alice.uploadKeys({ one_time_keys: oneTimeKeys(...ids) })).toEqual({ signed_curve25519: ids.length });
    const two = { one_time_keys: oneTimeKeys('one', 'two') };
    expect(refusal(await alice.post('/keys/upload', two))).toEqual([413, 'M_TOO_LARGE']);
    expect(await alice.uploadKeys({ one_time_keys: oneTimeKeys('one') })).toEqual({
      signed_curve25519: limits.oneTimeKeysMax,
    });
  });

  it('are given out once each, the oldest first, and then the fallback key', async () => {
    const { alice, bob } = await start();
    await alice.uploadKeys({ one_time_keys: oneTimeKeys('Z', 'Y') });
    await alice.uploadKeys({ one_time_keys: oneTimeKeys('B', 'A'), fallback_keys: oneTimeKeys('F') });
    const { next_batch: since, ...before } = await alice.sync();
    expect(before).toMatchObject({
      device_one_time_keys_count: { signed_curve25519: 4 },
      device_unused_fallback_key_types: ['signed_curve25519'],
    });
    expect(await bob.claim(alice, 'curve25519')).toEqual([]);
    const first = [await bob.claim(alice), await bob.claim(alice)].flat();
    expect(first.toSorted()).toEqual(['signed_curve25519:Y', 'signed_curve25519:Z']);
    expect(await alice.sync(since)).toMatchObject({ device_one_time_keys_count: { signed_curve25519: 2 } });
    const claims = await Promise.all(Array.from({ length: 10 }, () => bob.claim(alice)));
    const names = claims.flat();
    expect(names.toSorted()).toEqual([
      'signed_curve25519:A',
      'signed_curve25519:B',
      ...Array.from({ length: 8 }, () => 'signed_curve25519:F'),
    ]);
    expect(await alice.sync(since)).toMatchObject({
      device_one_time_keys_count: { signed_curve25519: 0 },
      device_unused_fallback_key_types: [],
    });
    await alice.uploadKeys({ fallback_keys: oneTimeKeys('F') });
    expect((await alice.sync(since)).device_unused_fallback_key_types).toEqual([]);
    await alice.uploadKeys({ fallback_keys: oneTimeKeys('G') });
    expect((await alice.sync(since)).device_unused_fallback_key_types).toEqual(['signed_curve25519']);
    expect(await bob.claim(alice)).toEqual(['signed_curve25519:G']);
  });

  it('that are claimed end the wait of their device for news, and of no other', async () => {
    const { server, alice, bob } = await start();
    const phone = await alice.anotherDevice();
    const e2ee = { conn_id: 'main', extensions: { e2ee: { enabled: true } } };
    const slide = (pos?: string, timeoutMs = 0) => {
      const query = pos === undefined ? '' : `?pos=${encodeURIComponent(pos)}&timeout=${timeoutMs}`;
      return requestJson(server.url, 'POST', `${slidingPath}${query}`, { token: alice.token, body: e2ee });
    };
    for (const device of [alice, phone])
      await device.uploadKeys({ device_keys: device.deviceKeys(), one_time_keys: oneTimeKeys('A', 'B') });
    const { next_batch: since } = await alice.sync();
    const { next_batch: ofPhone } = await phone.sync();
    const begun = (await slide()).json as { pos: string };
    const { pos } = (await slide(begun.pos)).json as { pos: string };
    const waiting = [alice.sync(since, 30_000), slide(pos, 30_000)] as const;
    expect(await bob.claim(alice)).toEqual(['signed_curve25519:A']);
    const [answer, slid] = await Promise.all(waiting);
    expect(answer.device_one_time_keys_count).toEqual({ signed_curve25519: 1 });
    expect(slid.json).toMatchObject({
      extensions: { e2ee: { device_one_time_keys_count: { signed_curve25519: 1 } } },
    });

    // Who asks with an older token after it is told as well; who knows it waits again.
    expect((await alice.sync(since, 30_000)).device_one_time_keys_count).toEqual({ signed_curve25519: 1 });
    const again = alice.sync(answer.next_batch, 30_000);
    const other = phone.sync(ofPhone, 30_000);
    await bob.claim(alice);
    expect((await again).device_one_time_keys_count).toEqual({ signed_curve25519: 0 });
    await bob.claim(phone);
    expect((await other).device_one_time_keys_count).toEqual({ signed_curve25519: 1 });
  });

  it('are claimed of many devices in one request', async () => {
    const { alice, bob } = await start();
    const phone = await alice.anotherDevice();
    for (const device of [alice, phone, bob]) await device.uploadKeys({ one_time_keys: oneTimeKeys(device.deviceId) });
    await bob.uploadKeys({ one_time_keys: { 'x:1': 'text' } });
    const wanted = {
      [alice.userId]: { [alice.deviceId]: 'signed_curve25519', [phone.deviceId]: 'signed_curve25519', GONE: 'x' },
      [bob.userId]: { [bob.deviceId]: 'x' },
      '@nobody:localhost': { DEVICE: 'x' },
    };
    const claim = () => alice.done('POST', '/keys/claim', { one_time_keys: wanted });
    expect(await claim()).toEqual({
      one_time_keys: {
        [alice.userId]: {
          [alice.deviceId]: oneTimeKeys(alice.deviceId),
          [phone.deviceId]: oneTimeKeys(phone.deviceId),
        },
        [bob.userId]: { [bob.deviceId]: { 'x:1': 'text' } },
      },
      failures: {},
    });
    expect(await claim()).toEqual({ one_time_keys: {}, failures: {} });
  });

  it('go with their device', async () => {
    const { server, alice, bob } = await start();
    const phone = await alice.anotherDevice();
    const id = phone.deviceId;
    await phone.uploadKeys({
      device_keys: phone.deviceKeys(),
      one_time_keys: oneTimeKeys('A'),
      fallback_keys: oneTimeKeys('F'),
    });
    await phone.done('POST', '/logout');
    const again = await alice.anotherDevice({ device_id: id });
    expect((await bob.query(alice.userId))['device_keys']).toEqual({ [alice.userId]: {} });
    expect(await bob.claim(again)).toEqual([]);
    expect((await again.sync()).device_unused_fallback_key_types).toEqual([]);
    const requester = await server.server.accounts.accessTokens.authenticate(again.token, {
      allowLocked: false,
      client: { address: '127.0.0.1', userAgent: undefined },
    });
    await again.done('POST', '/logout');
    const late = server.server.encryption.uploadKeys(requester, {
      deviceKeys: again.deviceKeys(),
      oneTimeKeys: oneTimeKeys('LATE'),
      fallbackKeys: undefined,
    });
    await expect(late).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
    expect((await bob.query(alice.userId))['device_keys']).toEqual({ [alice.userId]: {} });
  });
});
