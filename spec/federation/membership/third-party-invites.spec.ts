/** Invites by third-party identifiers between whole servers; the test plays the identity server. */
import { expect, it } from 'vitest';
import { verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { signJson } from '../../../src/matrix/json/signed-json.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type FederatedServers, startFederatedServers } from '../../support/federated-servers.ts';
import { testSigningKey } from '../../support/keys.ts';
import { refusal } from '../../support/test-accounts.ts';
import { roomPath, succeeded, type TestClient } from '../../support/test-client.ts';
import { requestJson } from '../../support/test-server.ts';

const identityKey = testSigningKey('id.test', 'ed25519:0');
const { publicKey } = verifyKeyOf(identityKey);
const signedFor = (mxid: string, token = 'token', key = identityKey): JsonObject =>
  signJson({ mxid, token }, 'id.test', key);

describeOnBothEngines('third-party invites', (engine) => {
  interface World {
    readonly servers: FederatedServers;
    readonly alice: TestClient;
    readonly bob: TestClient;
    readonly roomId: string;
    isValid: boolean;
    bind(signed: JsonObject, more?: JsonObject): ReturnType<typeof requestJson>;
    membership(who: TestClient): Promise<JsonObject>;
    /** As a user of two.test sees it; undefined: bob is not invited. */
    invite(): Promise<JsonObject | undefined>;
  }
  const run = async (work: (world: World) => Promise<void>, createContent: JsonObject = {}): Promise<void> => {
    const servers = await startFederatedServers(['one.test', 'two.test'], { engine });
    try {
      const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
      const roomId = await alice.createRoom({ preset: 'private_chat', name: 'Study', ...createContent });
      await alice.setState(
        roomId,
        'm.room.third_party_invite',
        {
          display_name: 'b...',
          public_key: publicKey,
          key_validity_url: 'https://id.test/valid?version=2',
          public_keys: [{ public_key: publicKey, key_validity_url: 'https://id.test/valid?version=2' }],
        },
        'token',
      );
      const world: World = {
        servers,
        alice,
        bob,
        roomId,
        isValid: true,
        bind: (signed, more = {}) =>
          requestJson(servers.get('two.test').url, 'PUT', '/_matrix/federation/v1/3pid/onbind', {
            body: {
              medium: 'email',
              address: 'bob@mail.test',
              mxid: bob.userId,
              invites: [
                {
                  medium: 'email',
                  address: 'bob@mail.test',
                  mxid: bob.userId,
                  room_id: roomId,
                  sender: alice.userId,
                  signed,
                  ...more,
                },
              ],
            },
          }),
        membership: async (who) =>
          (await who.get(`${roomPath(roomId)}/state/m.room.member/${encodeURIComponent(bob.userId)}`)).json,
        invite: async () => {
          const { json } = await bob.get('/sync', { timeout: '0' });
          return ((json['rooms'] as JsonObject)?.['invite'] as JsonObject | undefined)?.[roomId] as
            JsonObject | undefined;
        },
      };
      servers.addPeer('id.test', ({ uri }) => {
        expect(new URL(uri, 'https://id.test').searchParams.get('public_key')).toBe(publicKey);
        return { json: { valid: world.isValid } };
      });
      await work(world);
    } finally {
      await servers.close();
    }
  };
  const proof = (signed: JsonObject): JsonObject => ({
    membership: 'invite',
    third_party_invite: { display_name: 'b...', signed },
  });

  it('are exchanged at the server of the inviter, where nobody of the invited is in the room', () =>
    run(async ({ alice, bob, roomId, bind, membership, invite, servers }) => {
      const signed = signedFor(bob.userId);
      expect(await bind(signed)).toMatchObject({ status: 200, json: {} });
      expect(await membership(alice)).toEqual(proof(signed));
      const { invite_state: state } = (await invite()) as { invite_state: { events: JsonObject[] } };
      expect(state.events).toContainEqual(
        expect.objectContaining({ type: 'm.room.member', state_key: bob.userId, sender: alice.userId }),
      );
      await succeeded(bob.post(`${roomPath(roomId)}/join`));
      // Said once more it changes nothing.
      expect((await bind(signed)).status).toBe(200);
      expect(await membership(alice)).toMatchObject({ membership: 'join' });
      expect(servers.passed.filter(({ to }) => to === 'id.test')).toHaveLength(1);
    }));

  it.each(['1', '12'])('are sent by the server of the invited where it is in the room, in version %s', (version) =>
    run(
      async ({ alice, bob, roomId, bind, membership, servers }) => {
        const carol = await servers.register('two.test', 'carol');
        await succeeded(alice.post(`${roomPath(roomId)}/invite`, { user_id: carol.userId }));
        await succeeded(carol.post(`${roomPath(roomId)}/join`));
        const signed = signedFor(bob.userId);
        expect((await bind(signed)).status).toBe(200);
        expect(await membership(carol)).toMatchObject(proof(signed));
        await expect.poll(() => membership(alice), { timeout: 20_000 }).toMatchObject(proof(signed));
        expect(servers.passed.filter(({ uri }) => uri.includes('exchange_third_party_invite'))).toEqual([]);
        await succeeded(bob.post(`${roomPath(roomId)}/join`));
        await expect.poll(() => membership(alice), { timeout: 20_000 }).toMatchObject({ membership: 'join' });
      },
      { room_version: version },
    ),
  );

  it('are refused where the proof is not what the room was promised', () =>
    run(async (world) => {
      const { servers, alice, bob, bind, membership, roomId } = world;
      const signed = signedFor(bob.userId);
      const forged = signedFor(bob.userId, 'token', testSigningKey('somebody else', 'ed25519:0'));
      const forbidden = [403, 'M_FORBIDDEN'];
      expect(refusal(await bind(forged))).toEqual(forbidden);
      expect(refusal(await bind(signedFor(bob.userId, 'another')))).toEqual(forbidden);
      expect(refusal(await bind(signed, { sender: '@carol:one.test' }))).toEqual(forbidden);
      expect(refusal(await bind(signed, { room_id: '!nowhere:one.test' }))).toEqual([404, 'M_NOT_FOUND']);
      expect(refusal(await bind(signed, { sender: '@carol:two.test' }))).toEqual([404, 'M_NOT_FOUND']);
      expect(refusal(await bind(signedFor('@carol:two.test')))).toEqual([400, 'M_INVALID_PARAM']);
      expect(refusal(await bind(signed, { mxid: '@carol:two.test' }))).toEqual([400, 'M_INVALID_PARAM']);
      world.isValid = false;
      expect(refusal(await bind(signed))).toEqual(forbidden);
      servers.network.removePeer('id.test');
      expect(refusal(await bind(signed))).toEqual(forbidden);
      for (const url of ['http://id.test/valid', 'https://a:b@id.test/valid', 'nonsense', 'file:///etc/passwd']) {
        const content = { display_name: 'b', public_key: publicKey, key_validity_url: url };
        await alice.setState(roomId, 'm.room.third_party_invite', content, 'token');
        expect(refusal(await bind(signed)), url).toEqual(forbidden);
      }
      // A room that names no such place leaves it at the signature.
      const plain = { display_name: 'b', public_key: publicKey, public_keys: [{ public_key: 7 }, 7] };
      await alice.setState(roomId, 'm.room.third_party_invite', plain, 'token');
      await succeeded(alice.post(`${roomPath(roomId)}/ban`, { user_id: bob.userId }));
      expect(refusal(await bind(signed))).toEqual(forbidden);
      await succeeded(alice.post(`${roomPath(roomId)}/unban`, { user_id: bob.userId }));
      expect((await bind(signed)).status).toBe(200);
      expect(await membership(alice)).toMatchObject({ membership: 'invite' });
    }));

  it('make nobody ask an identity server more than once about a key, however often it has signed', () =>
    run(async (world) => {
      const { servers, bob, bind } = world;
      world.isValid = false;
      const signed = signedFor(bob.userId);
      const [signature] = Object.values((signed['signatures'] as Record<string, Record<string, string>>)['id.test']!);
      const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`ed25519:${index}`, signature!]));
      expect((await bind({ ...signed, signatures: { 'id.test': many } })).status).toBe(403);
      expect(servers.passed.filter(({ to }) => to === 'id.test')).toHaveLength(1);
    }));

  it('are exchanged only for users of who asks, and promises of our own users', () =>
    run(async ({ servers, alice, bob, roomId }) => {
      const peer = servers.addPeer('peer.test');
      const exchange = (more: JsonObject, mxid = '@eve:peer.test') =>
        peer.send('one.test', {
          method: 'PUT',
          uri: `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`,
          content: {
            type: 'm.room.member',
            room_id: roomId,
            sender: alice.userId,
            state_key: mxid,
            content: proof(signedFor(mxid)),
            ...more,
          },
        });
      expect(refusal(await exchange({}, bob.userId))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await exchange({ sender: bob.userId }))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await exchange({ room_id: '!other:one.test' }))).toEqual([400, 'M_INVALID_PARAM']);
      expect(refusal(await exchange({ type: 'm.room.name' }))).toEqual([400, 'M_INVALID_PARAM']);
      expect(refusal(await exchange({ content: { membership: 'join' } }))).toEqual([400, 'M_MISSING_PARAM']);
      // Its proof is good, but it does not sign the invite of its user.
      expect((await exchange({})).status).toBe(502);
      const acl = { allow: ['*'], deny: ['peer.test'], allow_ip_literals: false };
      await alice.setState(roomId, 'm.room.server_acl', acl);
      expect(refusal(await exchange({}))).toEqual([403, 'M_FORBIDDEN']);
    }));
});
