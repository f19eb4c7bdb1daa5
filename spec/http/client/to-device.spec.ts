import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../../support/test-accounts.ts';
import { succeeded, TestClient } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

describe('PUT /sendToDevice/{eventType}/{txnId}', () => {
  const running = useLoopbackServer();
  const start = async () => ({
    alice: await TestClient.register(running, 'alice'),
    bob: await TestClient.register(running, 'bob'),
  });
  const deviceOf = async (client: TestClient): Promise<string> =>
    String((await succeeded(client.get('/account/whoami')))['device_id']);
  const toDevice = async (client: Pick<TestClient, 'get'>, since = ''): Promise<unknown> =>
    (await succeeded(client.get('/sync', { since })))['to_device'];

  it('brings a message to the device that it is for, with everything that it holds', async () => {
    const { alice, bob } = await start();
    const content: JsonObject = {
      algorithm: 'm.olm.v1.curve25519-aes-sha2',
      'org.matrix.msgid': 'é\u{1f600}',
      body: { type: 0, list: [null, true, -1] },
    };
    const path = '/sendToDevice/m.room.encrypted/1';
    const messages = { [bob.userId]: { [await deviceOf(bob)]: content } };
    expect(await succeeded(alice.put(path, { messages }))).toEqual({});
    expect(await succeeded(alice.put(path, { messages }))).toEqual({});
    const events = [{ sender: alice.userId, type: 'm.room.encrypted', content }];
    expect(await toDevice(bob)).toEqual({ events });
    // The transaction of another type is another one.
    await succeeded(alice.put('/sendToDevice/org.example.other/1', { messages }));
    expect(await toDevice(bob)).toEqual({ events: [...events, { ...events[0], type: 'org.example.other' }] });
  });

  it('has nothing for a device that logs in after another one was logged out under its name', async () => {
    const { alice, bob } = await start();
    const deviceId = await deviceOf(bob);
    await succeeded(alice.put('/sendToDevice/x/1', { messages: { [bob.userId]: { [deviceId]: { n: 1 } } } }));
    await succeeded(bob.post('/logout'));
    const body = { type: 'm.login.password', user: 'bob', password: passwordOfTests, device_id: deviceId };
    const { json } = await requestJson(running.url, 'POST', '/_matrix/client/v3/login', { body });
    const token = String(json['access_token']);
    const again = await requestJson(running.url, 'GET', '/_matrix/client/v3/sync', { token });
    expect(again.json).not.toHaveProperty('to_device');
  });

  it('refuses what is not a message to a device', async () => {
    const { alice, bob } = await start();
    const put = async (body: JsonObject) => refusal(await alice.put('/sendToDevice/x/1', body));
    expect(await put({})).toEqual([400, 'M_MISSING_PARAM']);
    expect(await put({ messages: [] })).toEqual([400, 'M_BAD_JSON']);
    expect(await put({ messages: { [bob.userId]: [] } })).toEqual([400, 'M_BAD_JSON']);
    expect(await put({ messages: { [bob.userId]: { A: 'text' } } })).toEqual([400, 'M_BAD_JSON']);
    expect(await put({ messages: { bob: { A: {} } } })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await put({ messages: { [bob.userId]: { A: { body: 'x'.repeat(65_536) } } } })).toEqual([
      413,
      'M_TOO_LARGE',
    ]);
    expect(await put({ messages: {} })).toEqual([200, undefined]);
  });
});
