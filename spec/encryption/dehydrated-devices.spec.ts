import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { passwordAuth, refusal } from '../support/test-accounts.ts';
import { requestJson } from '../support/test-server.ts';
import { freshKey, KeyDevice, oneTimeKeys, signedBy } from './support/key-device.ts';
import { serverOn } from './support/server-on.ts';

const place = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device';

interface EventsPage {
  readonly events: readonly { readonly content: JsonObject }[];
  readonly next_batch?: string;
}

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3814 */
describeOnBothEngines('dehydrated devices', (engine) => {
  const startServer = serverOn(engine);
  const start = async () => {
    const server = await startServer();
    const [alice, bob] = [await KeyDevice.register(server, 'alice'), await KeyDevice.register(server, 'bob')];
    const call = (method: string, path: string, body?: JsonObject, who = alice) =>
      requestJson(server.url, method, place + path, { token: who.token, ...(body === undefined ? {} : { body }) });
    const done = async (method: string, path: string, body?: JsonObject) => {
      const { status, json, text } = await call(method, path, body);
      expect([status, text]).toEqual([200, expect.any(String)]);
      return json;
    };
    let txn = 0;
    const send = (messages: JsonObject) =>
      bob.done('PUT', `/sendToDevice/m.room.encrypted/${++txn}`, { messages: { [alice.userId]: messages } });
    const pageAt = async (id: string, from?: string): Promise<EventsPage> => {
      const query = from === undefined ? '' : `?from=${from}`;
      return JSON.parse((await call('GET', `/${encodeURIComponent(id)}/events${query}`)).text) as EventsPage;
    };
    return { alice, bob, call, done, send, pageAt };
  };

  it('are kept with their keys, which others find as those of any device', async () => {
    const { alice, bob, done, call } = await start();
    await alice.createRoom(bob);
    expect(refusal(await call('GET', ''))).toEqual([404, 'M_NOT_FOUND']);
    const { next_batch: since } = await bob.sync();
    const device = dehydrated(alice, 'curve/key+1');
    expect(await done('PUT', '', device.body)).toEqual({ device_id: device.id });
    expect(await done('GET', '')).toEqual({ device_id: device.id, device_data: device.body['device_data'] });
    expect((await bob.sync(since)).device_lists?.changed).toEqual([alice.userId]);
    expect(await bob.query(alice.userId)).toHaveProperty(['device_keys', alice.userId, device.id], {
      ...device.keys,
      unsigned: { device_display_name: 'Dehydrated' },
    });
    const claim = async () => {
      const wanted = { [alice.userId]: { [device.id]: 'signed_curve25519' } };
      const { one_time_keys: keys } = await bob.done('POST', '/keys/claim', { one_time_keys: wanted });
      return Object.keys((keys as Record<string, Record<string, JsonObject>>)[alice.userId]?.[device.id] ?? {});
    };
    expect([await claim(), await claim(), await claim()]).toEqual([
      ['signed_curve25519:one'],
      ['signed_curve25519:fallback'],
      ['signed_curve25519:fallback'],
    ]);
    const { devices } = await alice.done('GET', '/devices');
    expect((devices as JsonObject[]).map(({ device_id: id, display_name: name }) => [id, name])).toContainEqual([
      device.id,
      'Dehydrated',
    ]);
  });

  it('receive messages, which are read page by page and stay', async () => {
    const { alice, done, call, send, pageAt } = await start();
    const { id, body } = dehydrated(alice, 'curve');
    await done('PUT', '', body);
    expect(await pageAt(id)).toEqual({ events: [] });
    const count = limits.toDeviceMessagesPerPageMax + 1;
    for (let n = 0; n < count; n++) await send(n % 2 === 0 ? { [id]: { n } } : { '*': { n } });
    const all = Array.from({ length: count }, (_, n) => n);
    for (let reading = 0; reading < 2; reading++) {
      const first = await pageAt(id);
      const second = await pageAt(id, first.next_batch);
      expect([...first.events, ...second.events].map(({ content }) => content['n'])).toEqual(all);
      expect(second).not.toHaveProperty('next_batch');
      // The same in the older form, whose end is a page without events.
      const told: unknown[] = [];
      let next: string | undefined;
      for (let page = 0; page < 3; page++) {
        const sent = next === undefined ? {} : { next_batch: next };
        const answer = JSON.parse((await call('POST', `/${id}/events`, sent)).text) as EventsPage;
        told.push(...answer.events.map(({ content }) => content['n']));
        if (page === 2) expect(answer.events).toEqual([]);
        next = answer.next_batch;
      }
      expect(told).toEqual(all);
    }
  });

  it('are replaced with everything that they have, but not by the same once more', async () => {
    const { alice, bob, done, send, pageAt, call } = await start();
    const first = dehydrated(alice, 'first');
    await done('PUT', '', first.body);
    await send({ first: { n: 1 } });
    await done('PUT', '', first.body);
    expect((await pageAt('first')).events).toHaveLength(1);
    await done('PUT', '', { ...first.body, device_data: { algorithm: 'x', device_pickle: 'another' } });
    expect((await pageAt('first')).events).toEqual([]);
    await send({ first: { n: 2 } });
    const second = dehydrated(alice, 'second');
    await done('PUT', '', second.body);
    expect(refusal(await call('GET', '/first/events'))).toEqual([403, 'M_FORBIDDEN']);
    expect(await pageAt('second')).toEqual({ events: [] });
    const found = await bob.query(alice.userId);
    expect(Object.keys((found['device_keys'] as Record<string, JsonObject>)[alice.userId] ?? {})).toEqual(['second']);
    const { devices } = await alice.done('GET', '/devices');
    expect((devices as JsonObject[]).map(({ device_id: id }) => id)).toEqual([alice.deviceId, 'second']);
  });

  it('go when they are deleted, in any of the ways', async () => {
    const { alice, bob, done, call, send } = await start();
    await alice.createRoom(bob);
    const { id, body } = dehydrated(alice, 'curve');
    const isGone = async () => {
      expect(refusal(await call('GET', ''))).toEqual([404, 'M_NOT_FOUND']);
      expect(refusal(await call('GET', `/${id}/events`))).toEqual([403, 'M_FORBIDDEN']);
      expect((await bob.query(alice.userId))['device_keys']).toEqual({ [alice.userId]: {} });
    };
    await done('PUT', '', body);
    await send({ [id]: { n: 1 } });
    const { next_batch: since } = await bob.sync();
    expect(await done('DELETE', '')).toEqual({ device_id: id });
    expect((await bob.sync(since)).device_lists?.changed).toEqual([alice.userId]);
    await isGone();
    expect(refusal(await call('DELETE', ''))).toEqual([404, 'M_NOT_FOUND']);
    await done('PUT', '', body);
    await alice.done('POST', '/delete_devices', { devices: [id], auth: passwordAuth('alice') });
    await isGone();
  });

  it('belong to one user', async () => {
    const { alice, bob, done, call } = await start();
    const { id, body } = dehydrated(alice, 'curve');
    await done('PUT', '', body);
    expect(refusal(await call('GET', '', undefined, bob))).toEqual([404, 'M_NOT_FOUND']);
    expect(refusal(await call('GET', `/${id}/events`, undefined, bob))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await call('POST', `/${id}/events`, {}, bob))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await call('DELETE', '', undefined, bob))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('are refused whole when something of them cannot stand', async () => {
    const { alice, bob, done, call } = await start();
    const { body } = dehydrated(alice, 'curve');
    await done('PUT', '', body);
    const put = async (more: JsonObject) => refusal(await call('PUT', '', { ...body, ...more }));
    expect(await put({ device_keys: null })).toEqual([400, 'M_BAD_JSON']);
    expect(await put({ device_data: {} })).toEqual([400, 'M_BAD_JSON']);
    expect(await put({ device_data: { algorithm: 'x', large: 'x'.repeat(65_536) } })).toEqual([413, 'M_TOO_LARGE']);
    expect(await put({ device_id: 'another' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await put({ device_keys: dehydrated(bob, 'curve').keys })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await put({ one_time_keys: { nameless: 'key' }, device_data: { algorithm: 'y' } })).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
    // A device with a session is none that can be replaced.
    expect(refusal(await call('PUT', '', dehydrated(alice, alice.deviceId).body))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await call('GET', '/curve/events?from=x'))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await done('GET', '')).toEqual({ device_id: 'curve', device_data: body['device_data'] });
  });
});

function dehydrated({ userId }: Pick<KeyDevice, 'userId'>, id: string) {
  const identity = freshKey();
  const object = {
    user_id: userId,
    device_id: id,
    dehydrated: true,
    algorithms: ['m.olm.v1.curve25519-aes-sha2'],
    keys: { [`ed25519:${id}`]: identity.publicKey, [`curve25519:${id}`]: id },
  };
  const keys = signedBy(object, userId, `ed25519:${id}`, identity);
  const body: JsonObject = {
    device_id: id,
    device_data: { algorithm: 'org.matrix.msc3814.v2', device_pickle: 'opaque', nonce: 'n', further: [1] },
    initial_device_display_name: 'Dehydrated',
    device_keys: keys,
    one_time_keys: oneTimeKeys('one'),
    fallback_keys: { 'signed_curve25519:fallback': { key: 'f', fallback: true, signatures: {} } },
  };
  return { id, keys, body };
}
