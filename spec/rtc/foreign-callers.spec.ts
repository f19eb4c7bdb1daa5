/** Users of other servers in calls over our LiveKit. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { livekitIdentity } from '../../src/rtc/livekit-names.ts';
import { type FederatedServers, startFederatedServers } from '../support/federated-servers.ts';
import { refusal } from '../support/test-accounts.ts';
import { succeeded, type TestClient } from '../support/test-client.ts';
import { requestJson } from '../support/test-server.ts';

const secret = 'a secret that is long enough for HS256';

describe('calls with users of other servers', () => {
  let livekit: Server;
  let servers: FederatedServers;
  let [alice, bob, roomId]: [TestClient | undefined, TestClient | undefined, string] = [undefined, undefined, ''];

  beforeAll(async () => {
    livekit = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    await new Promise<void>((resolve) => void livekit.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    livekit.closeAllConnections();
    await new Promise((resolve) => void livekit.close(resolve));
  });
  beforeEach(async () => {
    const { port } = livekit.address() as AddressInfo;
    servers = await startFederatedServers(['one.test', 'two.test', 'three.test'], {
      configOf: {
        'one.test': {
          livekit: `{ url: "ws://127.0.0.1:${port}", api_key: key, api_secret: "${secret}", allowed_servers: ["tw?.test", "peer.test"] }`,
          outgoing: '{ allow_private_addresses: ["127.0.0.0/8"] }',
        },
      },
    });
    servers.network.connect('127.0.0.1', `http://127.0.0.1:${port}`);
    [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
    roomId = await alice.createRoom({ preset: 'public_chat' });
  });
  afterEach(() => servers.close());

  const openIdToken = (who: TestClient): Promise<JsonObject> =>
    succeeded(who.post(`/user/${encodeURIComponent(who.userId)}/openid/request_token`));
  const ask = (openid: JsonObject, userId: string, more: JsonObject = {}) =>
    requestJson(servers.get('one.test').url, 'POST', '/_matrix/livekit/jwt/get_token', {
      body: {
        room_id: roomId,
        slot_id: 'm.call#x',
        openid_token: openid,
        member: { id: 'member', claimed_user_id: userId, claimed_device_id: 'DEVICE' },
        ...more,
      },
    });

  it('gives them tokens where their servers are allowed and they are in the room', async () => {
    const { userId } = bob!;
    expect(refusal(await ask(await openIdToken(bob!), userId))).toEqual([403, 'M_FORBIDDEN']);
    await succeeded(bob!.post(`/join/${roomId}?via=one.test`));
    const { jwt } = await succeeded(ask(await openIdToken(bob!), userId));
    const subject = livekitIdentity(userId, 'DEVICE', 'member');
    await jwtVerify(String(jwt), Buffer.from(secret), { issuer: 'key', subject });
    const wrong: [JsonObject, string, JsonObject, number, string][] = [
      [{ ...(await openIdToken(bob!)), access_token: 'made up' }, userId, {}, 401, 'M_UNAUTHORIZED'],
      [await openIdToken(bob!), '@carol:two.test', {}, 401, 'M_UNAUTHORIZED'],
      [await openIdToken(bob!), alice!.userId, {}, 401, 'M_UNAUTHORIZED'],
      [await openIdToken(bob!), userId, { delay_id: 'x' }, 404, 'M_NOT_FOUND'],
    ];
    for (const [openid, claimed, more, status, errcode] of wrong)
      expect(refusal(await ask(openid, claimed, more))).toEqual([status, errcode]);
    // What is known of a room that everybody of ours has left may not be true any more.
    await succeeded(alice!.post(`/rooms/${roomId}/leave`));
    expect(refusal(await ask(await openIdToken(bob!), userId))).toEqual([403, 'M_FORBIDDEN']);
    servers.cut('one.test', 'two.test');
    expect(refusal(await ask(await openIdToken(bob!), userId))).toEqual([502, 'M_UNKNOWN']);
  });

  it('asks no server that is not allowed, and believes none about users of another', async () => {
    const dora = await servers.register('three.test', 'dora');
    await succeeded(dora.post(`/join/${roomId}?via=one.test`));
    expect(refusal(await ask(await openIdToken(dora), dora.userId))).toEqual([401, 'M_UNAUTHORIZED']);
    const peer = (json: JsonObject) => servers.addPeer('peer.test', () => ({ json }));
    const openid = { access_token: 'token', matrix_server_name: 'peer.test' };
    for (const sub of [alice!.userId, bob!.userId, 'eve', 7]) {
      peer({ sub });
      expect(refusal(await ask(openid, '@eve:peer.test'))).toEqual([401, 'M_UNAUTHORIZED']);
    }
    expect(refusal(await ask(openid, alice!.userId))).toEqual([401, 'M_UNAUTHORIZED']);
    const asked = servers.passed.filter(({ uri }) => uri.includes('/openid/userinfo'));
    expect(asked.map(({ to }) => to)).toEqual(['peer.test', 'peer.test', 'peer.test', 'peer.test']);
  });
});
