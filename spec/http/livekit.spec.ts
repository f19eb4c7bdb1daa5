import { hash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, decodeJwt, jwtVerify, type JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { livekitIdentity, livekitRoom } from '../../src/rtc/livekit-names.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { passwordOfTests, refusal } from '../support/test-accounts.ts';
import { requestJson } from '../support/test-server.ts';

const [apiKey, apiSecret] = ['APIkey', 'a secret that is long enough for HS256'];
const secretKey = Buffer.from(apiSecret);
const v3 = '/_matrix/client/v3';
const service = '/_matrix/livekit/jwt';
const msc4195 = '/_matrix/client/unstable/io.element.msc4195/rtc/livekit';

describe('LiveKit through this server', () => {
  let livekit: Server;
  let running: LoopbackServer;
  let [alice, bob, roomId] = ['', '', ''];
  /** What LiveKit was asked: method, body, and what the token allowed. */
  const asked: [method: string, body: JsonObject, claims: JWTPayload][] = [];
  let answersWith = 200;

  beforeAll(async () => {
    livekit = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => void chunks.push(chunk));
      request.on('end', () => {
        const method = String(request.url).split('/').at(-1) ?? '';
        const token = String(request.headers.authorization).replace('Bearer ', '');
        void jwtVerify(token, secretKey, { issuer: apiKey }).then(({ payload }) => {
          asked.push([method, JSON.parse(Buffer.concat(chunks).toString()) as JsonObject, payload]);
          response.writeHead(answersWith, { 'content-type': 'application/json' }).end('{}');
        });
      });
    });
    await new Promise<void>((resolve) => void livekit.listen(0, '127.0.0.1', resolve));
    const { port } = livekit.address() as AddressInfo;
    running = await startLoopbackServer({
      config: {
        livekit: `{ url: "ws://127.0.0.1:${port}", api_key: ${apiKey}, api_secret: "${apiSecret}" }`,
        outgoing: '{ allow_private_addresses: ["127.0.0.0/8"] }',
        listeners: '[{ bind: 127.0.0.1, port: 0, serve: [client, federation] }]',
      },
    });
    [alice, bob] = [await register('alice'), await register('bob')];
    roomId = String((await call('POST', `${v3}/createRoom`, alice, {})).json['room_id']);
  });
  afterAll(async () => {
    await running.close();
    livekit.closeAllConnections();
    await new Promise((resolve) => void livekit.close(resolve));
  });

  const call = (method: string, path: string, token?: string, body?: JsonObject) =>
    requestJson(running.url, method, path, {
      ...(token === undefined ? {} : { token }),
      ...(body === undefined ? {} : { body }),
    });
  const register = async (username: string): Promise<string> => {
    const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
    return String((await call('POST', `${v3}/register`, undefined, body)).json['access_token']);
  };
  const openIdToken = async (name: string, token: string): Promise<JsonObject> =>
    (await call('POST', `${v3}/user/@${name}:localhost/openid/request_token`, token, {})).json;
  const url = () => `ws://127.0.0.1:${(livekit.address() as AddressInfo).port}`;
  const memberOf = (name: string): JsonObject => ({
    id: 'member',
    claimed_user_id: `@${name}:localhost`,
    claimed_device_id: 'DEVICE',
  });
  const delayedLeave = async (token = alice, delayMs = 100_000): Promise<string> => {
    const path = `${v3}/rooms/${encodeURIComponent(roomId)}/state/org.example.member/key?org.matrix.msc4140.delay=${delayMs}`;
    return String((await call('PUT', path, token, {})).json['delay_id']);
  };

  it('is announced', async () => {
    const transport = {
      type: 'livekit',
      livekit_service_url: expect.stringMatching(/\/_matrix\/livekit\/jwt$/) as string,
      url: url(),
    };
    for (const prefix of ['/_matrix/client/v1', '/_matrix/client/unstable/org.matrix.msc4143'])
      expect((await call('GET', `${prefix}/rtc/transports`, alice)).json).toEqual({ rtc_transports: [transport] });
    expect(refusal(await call('GET', '/_matrix/client/v1/rtc/transports'))).toEqual([401, 'M_MISSING_TOKEN']);
    const wellKnown = await call('GET', '/.well-known/matrix/client');
    expect(wellKnown.json['org.matrix.msc4143.rtc_foci']).toEqual([transport]);
    expect((await call('GET', `${service}/healthz`)).status).toBe(200);
  });

  it('gives tokens for the call of a room to its members', async () => {
    const cases: [path: string, token: string | undefined, body: JsonObject, room: string, identity: string][] = [
      [
        `${service}/sfu/get`,
        undefined,
        { room: roomId, openid_token: await openIdToken('alice', alice), device_id: 'DEVICE' },
        livekitRoom(roomId, 'm.call#ROOM'),
        '@alice:localhost:DEVICE',
      ],
      [
        `${service}/get_token`,
        undefined,
        {
          room_id: roomId,
          slot_id: 'm.call#x',
          openid_token: await openIdToken('alice', alice),
          member: memberOf('alice'),
        },
        livekitRoom(roomId, 'm.call#x'),
        livekitIdentity('@alice:localhost', 'DEVICE', 'member'),
      ],
      [
        `${msc4195}/get_token`,
        alice,
        { url: url(), room_id: roomId, slot_id: 'm.call#x', member: { id: 'member', claimed_device_id: 'DEVICE' } },
        livekitRoom(roomId, 'm.call#x'),
        livekitIdentity('@alice:localhost', 'DEVICE', 'member'),
      ],
    ];
    for (const [path, token, body, room, identity] of cases) {
      asked.length = 0;
      const { status, json } = await call('POST', path, token, body);
      expect([status, json['url']], path).toEqual([200, url()]);
      const { payload } = await jwtVerify(String(json['jwt']), secretKey, { issuer: apiKey, subject: identity });
      expect(payload['video']).toEqual({
        roomJoin: true,
        roomCreate: false,
        canPublish: true,
        canSubscribe: true,
        canUpdateOwnMetadata: true,
        room,
      });
      expect(Number(payload.exp) - Number(payload.nbf)).toBe(3600);
      expect(asked).toMatchObject([['CreateRoom', { name: room }, { video: { roomCreate: true } }]]);
    }
  });

  it('names rooms and people as the proposal says', () => {
    const expected = hash('sha256', '["@user:matrix.example.com","DEVICEID","abcd12345"]', 'base64').replace(/=+$/, '');
    expect(livekitIdentity('@user:matrix.example.com', 'DEVICEID', 'abcd12345')).toBe(expected);
  });

  it('gives no tokens to strangers, nor for what does not fit', async () => {
    const ofAlice = await openIdToken('alice', alice);
    const ofBob = await openIdToken('bob', bob);
    const legacy = { room: roomId, openid_token: ofAlice, device_id: 'DEVICE' };
    const modern = { room_id: roomId, slot_id: 's', openid_token: ofAlice, member: memberOf('alice') };
    const own = { room_id: roomId, slot_id: 's', member: { id: 'member' } };
    const wrong: [string, string | undefined, JsonObject, number, string][] = [
      ['sfu/get', undefined, { ...legacy, openid_token: ofBob }, 403, 'M_FORBIDDEN'],
      ['sfu/get', undefined, { ...legacy, openid_token: { ...ofAlice, access_token: alice } }, 401, 'M_UNAUTHORIZED'],
      [
        'sfu/get',
        undefined,
        { ...legacy, openid_token: { ...ofAlice, matrix_server_name: 'other.test' } },
        401,
        'M_UNAUTHORIZED',
      ],
      ['sfu/get', undefined, { ...legacy, room: '!unknown:localhost' }, 403, 'M_FORBIDDEN'],
      ['sfu/get', undefined, { ...legacy, room: 5 }, 400, 'M_BAD_JSON'],
      ['sfu/get', undefined, { openid_token: ofAlice, device_id: 'D' }, 400, 'M_MISSING_PARAM'],
      ['get_token', undefined, { ...modern, member: memberOf('bob') }, 401, 'M_UNAUTHORIZED'],
      ['get_token', undefined, { ...modern, openid_token: ofBob, member: memberOf('bob') }, 403, 'M_FORBIDDEN'],
      ['get_token', undefined, { ...modern, delay_id: 'unknown' }, 404, 'M_NOT_FOUND'],
    ];
    for (const [path, token, body, status, errcode] of wrong)
      expect(refusal(await call('POST', `${service}/${path}`, token, body)), path).toEqual([status, errcode]);
    const wrongOwn: [string | undefined, JsonObject, number, string][] = [
      [undefined, own, 401, 'M_MISSING_TOKEN'],
      [bob, own, 403, 'M_FORBIDDEN'],
      [alice, { ...own, url: 'wss://other.example.org' }, 400, 'M_INVALID_PARAM'],
      [alice, { ...own, server_name: 'other.test' }, 404, 'M_NOT_FOUND'],
      [alice, { ...own, member: {} }, 400, 'M_MISSING_PARAM'],
    ];
    for (const [token, body, status, errcode] of wrongOwn)
      expect(refusal(await call('POST', `${msc4195}/get_token`, token, body))).toEqual([status, errcode]);
    answersWith = 500;
    expect(refusal(await call('POST', `${msc4195}/get_token`, alice, own))).toEqual([502, 'M_UNKNOWN']);
    answersWith = 200;
  });

  it('tells who left a call, and then the delayed event of whoever asked for it is sent', async () => {
    const webhook = async (body: string, more: { claim?: string; key?: string } = {}) => {
      const sha256 = hash('sha256', more.claim ?? body, 'base64');
      const token = await new SignJWT({ sha256 })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(apiKey)
        .setExpirationTime('5m')
        .sign(Buffer.from(more.key ?? apiSecret));
      const headers = { authorization: token, 'content-type': 'application/webhook+json' };
      return requestJson(running.url, 'POST', `${service}/sfu_webhook`, { rawBody: body, headers });
    };
    const delayId = await delayedLeave();
    const delegation = {
      room_id: roomId,
      slot_id: 's',
      member: { id: 'member', claimed_device_id: 'D' },
      delay_id: delayId,
    };
    expect((await call('POST', `${msc4195}/delegate_delayed_leave`, alice, delegation)).json).toEqual({});
    const event = (name: string): string =>
      JSON.stringify({
        event: name,
        room: { name: livekitRoom(roomId, 's') },
        participant: { identity: livekitIdentity('@alice:localhost', 'D', 'member') },
      });
    const isSent = async (): Promise<boolean> =>
      (await call('GET', `/_matrix/client/v1/delayed_events/${delayId}`, alice)).json['event_id'] !== undefined;
    expect((await webhook(event('participant_joined'))).status).toBe(200);
    const left = event('participant_left');
    expect(refusal(await webhook(left, { claim: 'something else' }))).toEqual([403, 'M_FORBIDDEN']);
    expect(refusal(await webhook(left, { key: 'another secret that is long enough' }))).toEqual([403, 'M_FORBIDDEN']);
    // The token of a member is signed with the same key.
    const { jwt } = (await call('POST', `${msc4195}/get_token`, alice, delegation)).json;
    const forged = { rawBody: left, headers: { authorization: String(jwt) } };
    expect(refusal(await requestJson(running.url, 'POST', `${service}/sfu_webhook`, forged))).toEqual([
      403,
      'M_FORBIDDEN',
    ]);
    expect(decodeJwt(String(jwt)).iss).toBe(apiKey);
    expect(await isSent()).toBe(false);
    expect((await webhook('{"event":"room_started","room":{"name":"x"}}')).status).toBe(200);
    expect((await webhook(left)).status).toBe(200);
    expect(await isSent()).toBe(true);
  });

  it("looks after its members' own delayed events of the room only", async () => {
    const ofAlice = await delayedLeave();
    const short = await delayedLeave(alice, 1_000);
    const other = encodeURIComponent(String((await call('POST', `${v3}/createRoom`, alice, {})).json['room_id']));
    const elsewhere = `${v3}/rooms/${other}/send/m.room.message/1?org.matrix.msc4140.delay=100000`;
    const inOther = String((await call('PUT', elsewhere, alice, {})).json['delay_id']);
    const body = {
      room_id: roomId,
      slot_id: 's',
      openid_token: await openIdToken('alice', alice),
      member: memberOf('alice'),
    };
    const ask = (more: JsonObject) =>
      call('POST', `${service}/delegate_delayed_leave`, undefined, { ...body, ...more });
    expect(refusal(await ask({}))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await ask({ delay_id: short }))).toEqual([400, 'M_BAD_JSON']);
    expect(refusal(await ask({ delay_id: inOther }))).toEqual([400, 'M_BAD_JSON']);
    const asBob = { openid_token: await openIdToken('bob', bob), member: memberOf('bob'), delay_id: ofAlice };
    expect(refusal(await ask(asBob))).toEqual([403, 'M_FORBIDDEN']);
    expect((await ask({ delay_id: ofAlice, delay_timeout: 100_000 })).json).toEqual({});
  });
});

describe('a server without LiveKit and TURN', () => {
  it('says so', async () => {
    const running = await startLoopbackServer();
    const register = { auth: { type: 'm.login.dummy' }, username: 'alice', password: passwordOfTests };
    const registered = await requestJson(running.url, 'POST', `${v3}/register`, { body: register });
    const token = String(registered.json['access_token']);
    const get = async (path: string) => (await requestJson(running.url, 'GET', path, { token })).json;
    expect(await get('/_matrix/client/v1/rtc/transports')).toEqual({ rtc_transports: [] });
    expect(await get(`${v3}/voip/turnServer`)).toEqual({});
    expect(await get('/.well-known/matrix/client')).not.toHaveProperty('org.matrix.msc4143.rtc_foci');
    expect(await get(`${service}/healthz`)).toMatchObject({ errcode: 'M_NOT_FOUND' });
    await running.close();
  });
});
