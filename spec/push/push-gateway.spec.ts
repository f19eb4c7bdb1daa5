/** The built-in push gateway: what devices get, decrypted as a browser does it. */
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { OutgoingRequest } from '../../src/platform/ports.ts';
import { parseDevice } from '../../src/push/gateway/device.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { usePush } from '../support/test-push.ts';

/** A browser's subscription. */
class Subscription {
  readonly #keys = createECDH('prime256v1');
  readonly #auth = Buffer.alloc(16, 7);
  readonly pushkey: string;
  readonly data: JsonObject;

  constructor(endpoint: string, more: JsonObject = {}) {
    this.pushkey = this.#keys.generateKeys('base64url');
    this.data = { endpoint, auth: this.#auth.toString('base64url'), ...more };
  }

  /** https://www.rfc-editor.org/rfc/rfc8291#section-3.4 with the content encoding of RFC 8188. */
  decrypt(message: Buffer): JsonObject {
    const salt = message.subarray(0, 16);
    const keyLength = message[20] ?? 0;
    const senderKey = message.subarray(21, 21 + keyLength);
    const sealed = message.subarray(21 + keyLength);
    const shared = this.#keys.computeSecret(senderKey);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#keys.getPublicKey(), senderKey]);
    const secret = Buffer.from(hkdfSync('sha256', shared, this.#auth, info, 32));
    const derive = (name: string, length: number) =>
      Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from(`Content-Encoding: ${name}\0`), length));
    const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)).toString()) as JsonObject;
  }
}

const own = 'https://matrix.test/_matrix/push/v1/notify';

describeOnBothEngines('the built-in push gateway', (engine) => {
  const pushes = usePush(engine);
  const start = async (config = {}) => {
    const at = await pushes.start(config);
    const { test } = at;
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, { name: 'A room' });
    await test.rooms.joinRoom(bob, { roomId });
    const sent: OutgoingRequest[] = [];
    let status = 201;
    at.gateways.intercept = async (request) => {
      sent.push(request);
      return { status, headers: {}, body: Buffer.alloc(0) };
    };
    const answerWith = (next: number) => void (status = next);
    return { at, test, alice, bob, roomId, sent, answerWith };
  };

  it('sends Web Push messages that only the subscribed browser can read', async () => {
    const { at, test, alice, bob, roomId, sent } = await start();
    const browser = new Subscription('https://push.example.org/send/1', {
      default_payload: { cs: 'secret' },
      only_last_per_room: true,
      events_only: true,
    });
    await at.addPusher(bob, browser.pushkey, { data: { url: own, ...browser.data } });
    const eventId = await test.say(alice, roomId, 'hello');
    await at.ports.until(() => sent.length === 1);
    const [request] = sent;
    expect(request).toMatchObject({ method: 'POST', url: 'https://push.example.org/send/1' });
    expect(request?.headers).toMatchObject({ TTL: '172800', Urgency: 'high', 'Content-Encoding': 'aes128gcm' });
    expect(request?.headers['Topic']).toMatch(/^[\w-]{32}$/);
    expect(browser.decrypt(request?.body as Buffer)).toEqual({
      cs: 'secret',
      event_id: eventId,
      room_id: roomId,
      type: 'm.room.message',
      sender: alice.userId,
      sender_display_name: 'alice',
      room_name: 'A room',
      content: { msgtype: 'm.text', body: 'hello' },
      prio: 'high',
      unread: 1,
    });
    const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(request?.headers['Authorization'] ?? '') ?? [];
    expect(key).toBe(await at.push.gateway.publicKey());
    expect(claimsOf(token, key)).toMatchObject({ aud: 'https://push.example.org', sub: 'https://test' });
    // What only tells how much is unread is not for browsers that must show something.
    await test.rooms.setReceipt(bob, roomId, 'm.read', eventId, undefined);
    await at.ports.advance(5_000);
    await at.settle();
    expect(sent).toHaveLength(1);
  });

  it('leaves out what does not fit into a message', async () => {
    const { at, test, alice, bob, roomId, sent } = await start();
    const browser = new Subscription('https://push.example.org/send/1');
    await at.addPusher(bob, browser.pushkey, { data: { url: own, ...browser.data } });
    const eventId = await test.say(alice, roomId, 'x'.repeat(5_000));
    await at.ports.until(() => sent.length === 1);
    const message = sent[0]?.body as Buffer;
    expect(message.length).toBeLessThanOrEqual(4_096);
    expect(browser.decrypt(message)).toMatchObject({ event_id: eventId, sender: alice.userId });
  });

  it('hands notifications to UnifiedPush endpoints', async () => {
    const { at, test, alice, bob, roomId, sent } = await start();
    await at.addPusher(bob, 'https://ntfy.example.org/up?x=1', { data: { url: own } });
    const short = await test.say(alice, roomId, 'short');
    await at.ports.until(() => sent.length === 1);
    const long = await test.say(alice, roomId, 'x'.repeat(5_000));
    await at.ports.until(() => sent.length === 2);
    const told = sent.map(({ body }) => (JSON.parse(String(body)) as { notification: JsonObject }).notification);
    expect(sent.map(({ url }) => url)).toEqual(Array(2).fill('https://ntfy.example.org/up?x=1'));
    expect(told[0]).toMatchObject({
      event_id: short,
      room_id: roomId,
      content: { body: 'short' },
      counts: { unread: 1 },
    });
    expect(told[1]).toMatchObject({ event_id: long, room_id: roomId, counts: { unread: 2 } });
    expect(told[1]).not.toHaveProperty('content');
  });

  it('ends with subscriptions that are no more, and pushkeys that nothing can be sent to', async () => {
    const { at, test, alice, bob, roomId, sent, answerWith } = await start();
    const browser = new Subscription('https://push.example.org/send/1');
    await at.addPusher(bob, browser.pushkey, { data: { url: own, ...browser.data } });
    await at.addPusher(bob, 'no url', { data: { url: own } });
    await at.addPusher(bob, own, { data: { url: own }, appId: 'a circle' });
    answerWith(410);
    await test.say(alice, roomId, 'anybody there?');
    await at.ports.until(() => sent.length === 1);
    for (let turn = 0; turn < 5; turn++) await at.settle();
    expect(await at.push.listPushers(bob)).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it('tries again where a push service does not take it', async () => {
    const { at, test, alice, bob, roomId, sent, answerWith } = await start();
    await at.addPusher(bob, 'https://ntfy.example.org/up', { data: { url: own } });
    answerWith(503);
    await test.say(alice, roomId, 'hello');
    await at.pass(500, () => sent.length === 3);
    answerWith(200);
    await at.pass(500, () => sent.length === 4);
    expect(await at.push.listPushers(bob)).toHaveLength(1);
  });

  it('serves other servers only where it is told to, and nobody twice', async () => {
    const { at, bob, sent, answerWith } = await start({ gatewayHosts: ['push.example.org'] });
    const { gateway } = at.push;
    const device = (pushkey: string, data: JsonObject = {}) => ({ app_id: 'app', pushkey, data });
    const notification = (...devices: JsonObject[]) => ({
      event_id: '$1',
      room_id: '!1',
      prio: 'high',
      counts: {},
      devices,
    });
    const stranger = 'https://ntfy.example.org/up';
    expect(await gateway.notify(notification(device(stranger)))).toEqual([stranger]);
    expect(sent).toEqual([]);
    const allowed = 'https://push.example.org/up';
    expect(await gateway.notify(notification(device(allowed), device('no device')))).toEqual(['no device']);
    expect(sent.map(({ url }) => url)).toEqual([allowed]);
    await at.addPusher(bob, stranger, { data: { url: 'https://another-name.test/_matrix/push/v1/notify' } });
    expect(
      await gateway.notify(notification(device(stranger, { endpoint: 'https://evil.example.org', auth: 'x' }))),
    ).toEqual([]);
    expect(sent.map(({ url }) => url)).toEqual([allowed, stranger]);
    answerWith(500);
    await expect(gateway.notify(notification(device(allowed)))).rejects.toMatchObject({ status: 502 });
  });

  it('keeps its key', async () => {
    const { at } = await start();
    const key = await at.push.gateway.publicKey();
    expect(Buffer.from(key, 'base64url')).toHaveLength(65);
    const restarted = await pushes.killAndRestart(at);
    expect(await restarted.push.gateway.publicKey()).toBe(key);
  });
});

describe('devices of the push gateway', () => {
  const browser = new Subscription('https://push.example.org/1');
  it('are known by an endpoint or a subscription', () => {
    expect(parseDevice('https://ntfy.example.org/x', {}, false)).toMatchObject({ kind: 'unified-push' });
    expect(parseDevice('http://10.0.0.1/x', {}, true)).toMatchObject({ kind: 'unified-push' });
    expect(parseDevice(browser.pushkey, browser.data, false)).toMatchObject({
      kind: 'web-push',
      publicKey: browser.pushkey,
      options: { defaultPayload: {}, eventsOnly: false, onlyLastPerRoom: false },
    });
  });
  it.each<[string, JsonObject]>([
    ['http://ntfy.example.org/x', {}],
    ['ftp://ntfy.example.org/x', {}],
    ['https://user@ntfy.example.org/x', {}],
    ['https://other.example.org/_matrix/push/v1/notify', {}],
    [browser.pushkey.slice(0, 40), browser.data],
    [browser.pushkey, { ...browser.data, auth: 'short' }],
    [browser.pushkey, { ...browser.data, auth: 1 }],
    [browser.pushkey, { ...browser.data, endpoint: 'http://push.example.org/1' }],
    [browser.pushkey, { ...browser.data, endpoint: null }],
  ])('are not %s with %o', (pushkey, data) => {
    expect(parseDevice(pushkey, data, false)).toBeUndefined();
  });
});

/** Of a token that the key has signed. https://www.rfc-editor.org/rfc/rfc8292#section-2 */
function claimsOf(token: string, publicKey: string): JsonObject {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(publicKey, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' });
  const signed = Buffer.from(signature, 'base64url');
  const isValid = verify('sha256', Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, signed);
  if (!isValid) throw new Error('the token is not signed by the key');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as JsonObject;
}
