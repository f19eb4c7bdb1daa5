import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { roomPath, succeeded, TestClient } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

const type = 'org.example.kept';
const own = '/user/@alice:localhost';

interface Answer {
  readonly next_batch: string;
  readonly account_data?: { readonly events: readonly JsonObject[] };
  readonly rooms?: {
    readonly join: Record<string, { readonly account_data: { readonly events: readonly JsonObject[] } }>;
  };
}

describe('account data', () => {
  const running = useLoopbackServer();
  const start = async () => {
    const alice = await TestClient.register(running, 'alice');
    const sync = async (since = ''): Promise<Answer> =>
      JSON.parse((await alice.get('/sync', { since })).text) as Answer;
    const remove = (path: string) =>
      requestJson(running.url, 'DELETE', `/_matrix/client/unstable/org.matrix.msc3391${path}`, { token: alice.token });
    return { alice, sync, remove };
  };

  it.each(['DELETE', 'PUT'])('of a user goes by %s, and /sync tells so', async (how) => {
    const { alice, sync, remove } = await start();
    const path = `${own}/account_data/${type}`;
    await succeeded(alice.put(path, { n: 1 }));
    const { next_batch: since } = await sync();
    expect((how === 'PUT' ? await alice.put(path) : await remove(path)).json).toEqual({});
    expect(refusal(await alice.get(path))).toEqual([404, 'M_NOT_FOUND']);
    expect((await sync(since)).account_data?.events).toEqual([{ type, content: {} }]);
    expect((await sync()).account_data?.events.map((event) => event['type'])).not.toContain(type);
    const { next_batch: later } = await sync(since);
    expect((await remove(path)).json).toEqual({});
    expect((await sync(later)).account_data).toBeUndefined();
    await succeeded(alice.put(path, { n: 2 }));
    expect((await sync(later)).account_data?.events).toEqual([{ type, content: { n: 2 } }]);
  });

  it.each(['DELETE', 'PUT'])('of a room goes by %s, and /sync tells so', async (how) => {
    const { alice, sync, remove } = await start();
    const roomId = await alice.createRoom();
    const path = `${own}${roomPath(roomId)}/account_data/${type}`;
    await succeeded(alice.put(path, { n: 1 }));
    const { next_batch: since } = await sync();
    expect((how === 'PUT' ? await alice.put(path) : await remove(path)).json).toEqual({});
    expect(refusal(await alice.get(path))).toEqual([404, 'M_NOT_FOUND']);
    expect((await sync(since)).rooms?.join[roomId]?.account_data.events).toEqual([{ type, content: {} }]);
    expect((await sync()).rooms?.join[roomId]?.account_data.events).toEqual([]);
  });

  it('that the server manages, or that is of others, is not deleted', async () => {
    const { remove } = await start();
    expect(refusal(await remove(`${own}/account_data/m.push_rules`))).toEqual([405, 'M_BAD_JSON']);
    expect(refusal(await remove(`/user/@bob:localhost/account_data/${type}`))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('about how a device notifies goes with the device', async () => {
    const { alice, sync } = await start();
    const body = { type: 'm.login.password', user: 'alice', password: passwordOfTests, device_id: 'PHONE' };
    const { json } = await requestJson(running.url, 'POST', '/_matrix/client/v3/login', { body });
    const stable = 'm.local_notification_settings.';
    const types = [`${stable}PHONE`, `org.matrix.msc3890.local_notification_settings.PHONE`, `${stable}OTHER`];
    for (const name of types) await succeeded(alice.put(`${own}/account_data/${name}`, { is_silenced: true }));
    const { next_batch: since } = await sync();
    const token = String(json['access_token']);
    await requestJson(running.url, 'POST', '/_matrix/client/v3/logout', { token, body: {} });
    const statuses = await Promise.all(
      types.map(async (name) => (await alice.get(`${own}/account_data/${name}`)).status),
    );
    expect(statuses).toEqual([404, 404, 200]);
    const told = (await sync(since)).account_data?.events ?? [];
    expect(new Set(told.map((event) => event['type']))).toEqual(new Set(types.slice(0, 2)));
    expect(told.map(({ content }) => content)).toEqual([{}, {}]);
  });

  it('of secret storage, cross-signing and key backups comes back as it was, in the answer and in /sync', async () => {
    const { alice, sync } = await start();
    const encrypted = { iv: 'a+/b==', ciphertext: 'é\u{1f600}\u0001', mac: 'm', number: 1, nothing: null, list: [[]] };
    const data: Record<string, JsonObject> = {
      'm.secret_storage.default_key': { key: 'id' },
      'm.secret_storage.key.id': {
        algorithm: 'm.secret_storage.v1.aes-hmac-sha2',
        passphrase: { iterations: 500_000 },
      },
      'm.cross_signing.master': { encrypted: { id: encrypted } },
      'm.cross_signing.self_signing': { encrypted: { id: encrypted } },
      'm.cross_signing.user_signing': { encrypted: { id: encrypted } },
      'm.megolm_backup.v1': { encrypted: { id: encrypted } },
      'org.matrix.msc3814': { encrypted: { id: encrypted } },
      'm.key_backup': { enabled: true },
    };
    for (const [name, content] of Object.entries(data))
      await succeeded(alice.put(`${own}/account_data/${name}`, content));
    const told = (await sync()).account_data?.events ?? [];
    for (const [name, content] of Object.entries(data)) {
      expect(await succeeded(alice.get(`${own}/account_data/${name}`))).toEqual(content);
      expect(told).toContainEqual({ type: name, content });
    }
  });

  it('and messages that share the history of encrypted rooms lose nothing on the way', async () => {
    const { alice } = await start();
    const roomId = await alice.createRoom({ preset: 'private_chat' });
    const bundle = { shared_history: true, 'org.matrix.msc3061.shared_history': true, file: { url: 'mxc://a/b' } };
    await alice.setState(roomId, 'org.example.flags', bundle);
    const content = { ciphertext: { key: { type: 0, body: 'A'.repeat(60_000) } }, ...bundle };
    await succeeded(alice.put('/sendToDevice/m.room.encrypted/1', { messages: { [alice.userId]: { '*': content } } }));
    const answer = JSON.parse((await alice.get('/sync')).text) as { to_device: { events: readonly JsonObject[] } };
    expect(answer.to_device.events.map((event) => event['content'])).toEqual([content]);
    expect(await succeeded(alice.get(`${roomPath(roomId)}/state/org.example.flags`))).toEqual(bundle);
  });
});
