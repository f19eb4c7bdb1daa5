/** Notifications from a server that is killed to a gateway that fails: each event arrives, and none again once it was taken. */
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { ServerProcess } from '../support/server-process.ts';
import { passwordOfTests } from '../support/test-accounts.ts';
import { requestJson } from '../support/test-server.ts';
import { eventually } from './support/eventually.ts';
import { Gateway } from './support/gateway.ts';

const v3 = '/_matrix/client/v3';
let server: ServerProcess | undefined;
let gateway: Gateway | undefined;
afterEach(async () => {
  gateway?.close();
  await server?.close();
  server = gateway = undefined;
});

const patienceMs = 180_000;

it(
  'reach their gateway across its failures and a crash of the server',
  async () => {
    const [at, to] = [
      (server = await ServerProcess.start({ environment: { VECHE_PUSH__ALLOW_INSECURE_GATEWAYS: 'true' } })),
      (gateway = await Gateway.start()),
    ];
    const call = async (method: string, path: string, token?: string, body?: JsonObject): Promise<JsonObject> => {
      const reply = await requestJson(at.url, method, v3 + path, { token, ...(body === undefined ? {} : { body }) });
      if (reply.status !== 200) throw new Error(`${method} ${path} was answered with ${reply.status}: ${reply.text}`);
      return reply.json;
    };
    const register = async (username: string): Promise<string> => {
      const auth = { type: 'm.login.dummy' };
      return String(
        (await call('POST', '/register', undefined, { auth, username, password: passwordOfTests }))['access_token'],
      );
    };
    const [alice, bob] = [await register('alice'), await register('bob')];
    const room = encodeURIComponent(
      String((await call('POST', '/createRoom', alice, { preset: 'public_chat' }))['room_id']),
    );
    await call('POST', `/join/${room}`, bob, {});
    const pusher = { kind: 'http', app_id: 'app', app_display_name: 'App', device_display_name: 'Phone', lang: 'en' };
    const key = (pushkey: string) => ({ ...pusher, pushkey, data: { url: to.url, format: 'event_id_only' } });
    for (const pushkey of ['first', 'second']) await call('POST', '/pushers/set', bob, key(pushkey));
    let count = 0;
    const say = async (): Promise<string> => {
      const body = { msgtype: 'm.text', body: `message ${++count}` };
      return String((await call('PUT', `/rooms/${room}/send/m.room.message/${count}`, alice, body))['event_id']);
    };
    const takenBy = (pushkey: string) =>
      to.taken
        .filter(({ devices }) => (devices as readonly JsonObject[])[0]?.['pushkey'] === pushkey)
        .map(({ event_id: id }) => String(id));
    const arrived = (pushkey: string, sent: readonly string[]) =>
      eventually(`${sent.length} notifications`, () => takenBy(pushkey).length >= sent.length || undefined);

    const sent = [await say()];
    await arrived('first', sent);
    await arrived('second', sent);

    await to.answer(503);
    sent.push(await say(), await say());
    const failures = () => to.received.filter(({ status }) => status === 503).length;
    await eventually('the gateway to be tried twice', () => failures() >= 3 || undefined);
    await at.killAndRestart();
    await eventually('the gateway to be tried again', () => failures() >= 5 || undefined);
    await to.answer(200);
    await arrived('first', sent);
    await arrived('second', sent);

    // A pusher is told of what was read when it is on disk that it was told of all before.
    const read = encodeURIComponent(sent.at(-1) ?? '');
    await call('POST', `/rooms/${room}/receipt/m.read/${read}`, bob, {});
    for (const pushkey of ['first', 'second'])
      await eventually(`${pushkey} to hear of what was read`, () => isToldOfReading(to, pushkey) || undefined);
    await at.killAndRestart();
    sent.push(await say());
    await arrived('first', sent);
    await arrived('second', sent);
    expect([takenBy('first'), takenBy('second')]).toEqual([sent, sent]);

    await to.answer(200, ['second']);
    sent.push(await say());
    await eventually('the rejected pushkey to go', async () => {
      const pushers = (await call('GET', '/pushers', bob))['pushers'] as readonly JsonObject[];
      return pushers.length === 1 || undefined;
    });
    await to.answer(200);
    sent.push(await say());
    await arrived('first', sent);
    expect(takenBy('first')).toEqual(sent);
    expect(takenBy('second')).toEqual(sent.slice(0, -1));
  },
  patienceMs,
);

function isToldOfReading(gateway: Gateway, pushkey: string): boolean {
  return gateway.received.some(({ status, notification }) => {
    const [device] = notification['devices'] as readonly JsonObject[];
    return status === 200 && notification['event_id'] === undefined && device?.['pushkey'] === pushkey;
  });
}
