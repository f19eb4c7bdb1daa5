import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { succeeded, TestClient } from '../../support/test-client.ts';

const version = '/room_keys/version';
const algorithm = 'm.megolm_backup.v1.curve25519-aes-sha2';
const data = (ciphertext: string, more: JsonObject = {}): JsonObject => ({
  first_message_index: 1,
  forwarded_count: 0,
  is_verified: false,
  session_data: { ephemeral: 'e', ciphertext, mac: 'm' },
  ...more,
});

describe('/room_keys', () => {
  const running = useLoopbackServer();
  const roomA = encodeURIComponent('!a:elsewhere.test');
  const sessionA = encodeURIComponent('s/1+=');

  it('keeps versions and keys', async () => {
    const alice = await TestClient.register(running, 'alice');
    expect(refusal(await alice.get(version))).toEqual([404, 'M_NOT_FOUND']);
    const definition = { algorithm, auth_data: { public_key: 'k', signatures: { '@alice:localhost': { a: 'b' } } } };
    expect(await succeeded(alice.post(version, definition))).toEqual({ version: '1' });
    const info = { ...definition, count: 0, etag: '0', version: '1' };
    expect(await succeeded(alice.get(version))).toEqual(info);
    expect(await succeeded(alice.get(`${version}/1`))).toEqual(info);

    const ofRooms = { rooms: { '!a:elsewhere.test': { sessions: { s: data('1') } }, '!b:c': { sessions: {} } } };
    expect(await succeeded(alice.put('/room_keys/keys?version=1', ofRooms))).toEqual({ etag: '1', count: 1 });
    const ofRoom = { sessions: { t: data('2') } };
    expect(await succeeded(alice.put(`/room_keys/keys/${roomA}?version=1`, ofRoom))).toEqual({ etag: '2', count: 2 });
    const path = `/room_keys/keys/${roomA}/${sessionA}`;
    expect(await succeeded(alice.put(`${path}?version=1`, data('3')))).toEqual({ etag: '3', count: 3 });

    const sessions = { s: data('1'), t: data('2'), 's/1+=': data('3') };
    expect(await succeeded(alice.get('/room_keys/keys', { version: '1' }))).toEqual({
      rooms: { '!a:elsewhere.test': { sessions } },
    });
    expect(await succeeded(alice.get(`/room_keys/keys/${roomA}`, { version: '1' }))).toEqual({ sessions });
    expect(await succeeded(alice.get(path, { version: '1' }))).toEqual(data('3'));

    expect(await succeeded(alice.call('DELETE', `${path}?version=1`))).toEqual({ etag: '4', count: 2 });
    expect(refusal(await alice.get(path, { version: '1' }))).toEqual([404, 'M_NOT_FOUND']);
    expect(await succeeded(alice.call('DELETE', `/room_keys/keys/${roomA}?version=1`))).toEqual({
      etag: '5',
      count: 0,
    });
    expect(await succeeded(alice.call('DELETE', '/room_keys/keys?version=1'))).toEqual({ etag: '5', count: 0 });

    const changed = { algorithm, auth_data: { public_key: 'other' }, version: '1' };
    expect(await succeeded(alice.put(`${version}/1`, changed))).toEqual({});
    expect(await succeeded(alice.get(version))).toMatchObject({ auth_data: { public_key: 'other' } });
    expect(await succeeded(alice.call('DELETE', `${version}/1`))).toEqual({});
    expect(await succeeded(alice.call('DELETE', `${version}/1`))).toEqual({});
    expect(refusal(await alice.get(`${version}/1`))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('names the current version to who writes to another one', async () => {
    const alice = await TestClient.register(running, 'alice');
    for (let n = 0; n < 2; n++) await succeeded(alice.post(version, { algorithm, auth_data: {} }));
    const { status, json } = await alice.put(`/room_keys/keys/${roomA}/s?version=1`, data('1'));
    expect([status, json]).toEqual([
      403,
      { errcode: 'M_WRONG_ROOM_KEYS_VERSION', error: expect.any(String), current_version: '2' },
    ]);
  });

  it('refuses what is no key or no version', async () => {
    const alice = await TestClient.register(running, 'alice');
    await succeeded(alice.post(version, { algorithm, auth_data: {} }));
    const put = async (query: string, body: JsonObject) =>
      refusal(await alice.put(`/room_keys/keys/${roomA}/s${query}`, body));
    expect(await put('', data('1'))).toEqual([400, 'M_MISSING_PARAM']);
    expect(await put('?version=9', data('1'))).toEqual([404, 'M_NOT_FOUND']);
    expect(await put('?version=x', data('1'))).toEqual([404, 'M_NOT_FOUND']);
    expect(await put('?version=1', data('1', { is_verified: 'yes' }))).toEqual([400, 'M_BAD_JSON']);
    expect(await put('?version=1', data('1', { first_message_index: -1 }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await put('?version=1', data('1', { forwarded_count: 1.5 }))).toEqual([400, 'M_BAD_JSON']);
    expect(await put('?version=1', data('1', { session_data: 'text' }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await alice.post(version, { algorithm }))).toEqual([400, 'M_MISSING_PARAM']);
    expect(await succeeded(alice.get(version))).toMatchObject({ count: 0, etag: '0' });
  });
});
