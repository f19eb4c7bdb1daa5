import { describe, expect, it } from 'vitest';
import { signingKeyFromSeed } from '../../../src/matrix/crypto/ed25519.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { canonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import { addSignature, signText, signableText } from '../../../src/matrix/json/signed-json.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { refusal } from '../../support/test-accounts.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';

describe('invites over HTTP', () => {
  const running = useLoopbackServer();

  const start = async () => {
    const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    const roomId = await alice.createRoom({ preset: 'private_chat' });
    return { alice, bob, roomId };
  };

  it('by a third-party identifier are denied without an identity server', async () => {
    const { alice, bob, roomId } = await start();
    const path = `${roomPath(roomId)}/invite`;
    const byEmail = { id_server: 'id.example', id_access_token: 'x', medium: 'email', address: 'bob@example.org' };
    expect(refusal(await alice.post(path, byEmail))).toEqual([403, 'M_THREEPID_DENIED']);
    expect(refusal(await alice.post(path, {}))).toEqual([400, 'M_MISSING_PARAM']);
    expect(refusal(await alice.post(path, { user_id: 'bob' }))).toEqual([400, 'M_INVALID_PARAM']);
    await succeeded(alice.post(path, { user_id: bob.userId }));
  });

  it('that a third-party invite promised come through the state, and are answered by a join', async () => {
    const { alice, bob, roomId } = await start();
    const key = signingKeyFromSeed('ed25519:0', Buffer.alloc(32, 7));
    const promise = { display_name: 'b...', key_validity_url: 'https://id.example', public_key: key.publicKey };
    await alice.setState(roomId, 'm.room.third_party_invite', promise, 'token');
    const unsigned = { mxid: bob.userId, token: 'token' };
    const signed = addSignature(unsigned, 'id', key.keyId, signText(signableText(unsigned, canonicalJson), key));
    const member = (proof: JsonObject) =>
      alice.put(`${roomPath(roomId)}/state/m.room.member/${encodeURIComponent(bob.userId)}`, {
        membership: 'invite',
        third_party_invite: { display_name: 'b...', signed: proof },
      });
    expect(refusal(await member(unsigned))).toEqual([403, 'M_FORBIDDEN']);
    await succeeded(member(signed));
    expect((await succeeded(bob.get('/sync')))['rooms']).toMatchObject({ invite: { [roomId]: {} } });
    await succeeded(bob.post(`${roomPath(roomId)}/join`));
  });
});

describe('GET /rooms/{roomId}/members and /joined_members', () => {
  const running = useLoopbackServer();

  it('gives the members of now and of a point in time, by membership', async () => {
    const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    const sync = await succeeded(alice.get('/sync'));
    const room = (sync['rooms'] as { join: Record<string, { timeline: { prev_batch: string } }> }).join[roomId];
    await succeeded(bob.post(`${roomPath(roomId)}/join`));
    const members = async (query: Record<string, string>) => {
      const { chunk } = await succeeded(alice.get(`${roomPath(roomId)}/members`, query));
      return (chunk as { state_key: string }[]).map((event) => event.state_key);
    };
    expect(await members({})).toHaveLength(2);
    for (const at of [String(sync['next_batch']), room?.timeline.prev_batch ?? ''])
      expect(await members({ at })).toEqual([alice.userId]);
    await succeeded(bob.post(`${roomPath(roomId)}/leave`));
    expect(await members({ membership: 'leave' })).toEqual([bob.userId]);
    expect(await members({ not_membership: 'leave' })).toEqual([alice.userId]);
    const path = `${roomPath(roomId)}/members`;
    expect(refusal(await alice.get(path, { membership: 'gone' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(refusal(await alice.get(path, { at: 'gone' }))).toEqual([400, 'M_INVALID_PARAM']);
    expect(await succeeded(alice.get(`${roomPath(roomId)}/joined_members`))).toEqual({
      joined: { [alice.userId]: { display_name: 'alice', avatar_url: null } },
    });
    expect(refusal(await bob.get(`${roomPath(roomId)}/joined_members`))).toEqual([403, 'M_FORBIDDEN']);
  });
});
