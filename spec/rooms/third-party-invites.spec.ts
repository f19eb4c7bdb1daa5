import { expect, it } from 'vitest';
import { type SigningKey, signingKeyFromSeed } from '../../src/matrix/crypto/ed25519.ts';
import { canonicalJson } from '../../src/matrix/json/canonical-json.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { addSignature, signText, signableText } from '../../src/matrix/json/signed-json.ts';
import type { RoomVersionId } from '../../src/matrix/room-versions/rules.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

describeOnBothEngines('third-party invites as events', (engine) => {
  const identityServer = signingKeyFromSeed('ed25519:0', Buffer.alloc(32, 7));
  const ephemeral = signingKeyFromSeed('ed25519:0', Buffer.alloc(32, 8));
  const stranger = signingKeyFromSeed('ed25519:0', Buffer.alloc(32, 9));
  const token = 'abc123';
  const promise = {
    display_name: 'b...@e...',
    key_validity_url: 'https://id.example/valid',
    public_key: identityServer.publicKey,
    public_keys: [{ public_key: identityServer.publicKey }, { public_key: ephemeral.publicKey }],
  };
  const signedBy = (key: SigningKey, mxid: string, given: string = token): JsonObject => {
    const signed = { mxid, token: given };
    return addSignature(signed, 'id.example', key.keyId, signText(signableText(signed, canonicalJson), key));
  };
  const inviteWith = (signed: JsonObject): JsonObject => ({
    membership: 'invite',
    third_party_invite: { display_name: 'b...@e...', signed },
  });

  const start = async (roomVersion: RoomVersionId = '12') => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice, { preset: 'private_chat', roomVersion });
    await test.rooms.inviteUser(alice, { roomId, target: carol.userId });
    await test.rooms.joinRoom(carol, { roomId });
    const promised = (sender: TestUser = alice, content: JsonObject = promise) =>
      test.setState(sender, roomId, 'm.room.third_party_invite', content, token);
    const invite = (signed: JsonObject, sender: TestUser = alice, target: TestUser = bob) =>
      test.setState(sender, roomId, 'm.room.member', inviteWith(signed), target.userId);
    return { test, alice, bob, carol, roomId, promised, invite };
  };
  const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };

  it.each<[RoomVersionId, SigningKey]>([
    ['1', identityServer],
    ['6', ephemeral],
    ['12', identityServer],
    ['12', ephemeral],
  ])('lets in whoever proves to be meant (version %s)', async (version, key) => {
    const { test, alice, bob, roomId, promised, invite } = await start(version);
    await promised();
    await expect(test.rooms.joinRoom(bob, { roomId })).rejects.toMatchObject(forbidden);
    const signed = signedBy(key, bob.userId);
    await invite(signed);
    const shown = (await test.syncOnce(bob)).rooms?.invite?.[roomId]?.invite_state.events.at(-1);
    expect(shown).toEqual({
      type: 'm.room.member',
      sender: alice.userId,
      state_key: bob.userId,
      content: inviteWith(signed),
    });
    await test.rooms.joinRoom(bob, { roomId });
    expect(await test.rooms.joinedRooms(bob)).toEqual([roomId]);
  });

  it('is believed only with a signature of the promised keys, for this user and this token', async () => {
    const { alice, bob, carol, promised, invite } = await start();
    await expect(invite(signedBy(identityServer, bob.userId))).rejects.toMatchObject(forbidden);
    await promised();
    for (const signed of [
      signedBy(stranger, bob.userId),
      signedBy(identityServer, carol.userId),
      signedBy(identityServer, bob.userId, 'another'),
      { mxid: bob.userId, token },
      { ...signedBy(identityServer, bob.userId), more: true },
      { ...signedBy(identityServer, bob.userId), signatures: 'none' },
    ])
      await expect(invite(signed)).rejects.toMatchObject(forbidden);
    await expect(invite(signedBy(identityServer, bob.userId), carol)).rejects.toMatchObject(forbidden);
    await expect(invite(signedBy(identityServer, bob.userId), bob)).rejects.toMatchObject(forbidden);
    await promised(alice, {});
    await expect(invite(signedBy(identityServer, bob.userId))).rejects.toMatchObject(forbidden);
  });

  it('is promised only by who may invite, and does not lift a ban', async () => {
    const { test, alice, bob, carol, roomId, promised, invite } = await start();
    await expect(promised(bob)).rejects.toMatchObject(forbidden);
    const levels = await test.rooms.stateEvent(alice, roomId, 'm.room.power_levels', '', 'content');
    await test.setState(alice, roomId, 'm.room.power_levels', { ...levels, invite: 50 });
    await expect(promised(carol)).rejects.toMatchObject(forbidden);
    await promised();
    await test.rooms.banUser(alice, { roomId, target: bob.userId });
    await expect(invite(signedBy(identityServer, bob.userId))).rejects.toMatchObject(forbidden);
  });
});
