import { describe, expect, it } from 'vitest';
import { signingKeyFromSeed } from '../../../src/matrix/crypto/ed25519.ts';
import type { AuthResult } from '../../../src/matrix/events/room-event.ts';
import { signJson } from '../../../src/matrix/json/signed-json.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { AuthRoom, bob, carol } from '../support/auth-room.ts';

const key = signingKeyFromSeed('ed25519:0', Buffer.alloc(32, 1));
const other = signingKeyFromSeed('ed25519:1', Buffer.alloc(32, 2));
const signed = signJson({ mxid: carol, token: 'token', sender: bob }, 'identity.example', key);
const signature = ((signed['signatures'] as JsonObject)['identity.example'] as JsonObject)['ed25519:0'] as string;

describe('a third-party invite', () => {
  for (const [version, rules] of Object.entries(roomVersions)) {
    it(`is allowed in version ${version} when signed with the promised key`, () => {
      const invite = (promise: JsonObject, proof: JsonObject): AuthResult => {
        const room = new AuthRoom(rules);
        room.set('m.room.third_party_invite', 'token', bob, promise);
        return room.tryMember(carol, 'invite', bob, { third_party_invite: { display_name: 'c…', signed: proof } });
      };
      expect(invite({ public_key: key.publicKey }, signed)).toEqual({ ok: true });
      expect(invite({ public_keys: [{ public_key: other.publicKey }, { public_key: key.publicKey }] }, signed)).toEqual(
        {
          ok: true,
        },
      );
      const refused: readonly (readonly [JsonObject, JsonObject])[] = [
        [{ public_key: other.publicKey }, signed],
        [{ public_keys: [key.publicKey] }, signed],
        [{ public_key: `${key.publicKey}AAAA` }, signed],
        [{ public_key: key.publicKey }, { ...signed, sender: carol }],
        [{ public_key: key.publicKey }, withSignatures({ 'identity.example': { 'other:0': signature } })],
        [{ public_key: key.publicKey }, withSignatures({ 'identity.example': [signature] })],
        [{ public_key: key.publicKey }, withSignatures({ 'identity.example': { 'ed25519:0': 7 } })],
        [{ public_key: key.publicKey }, withSignatures([])],
        [{}, signed],
      ];
      for (const [promise, proof] of refused) expect(invite(promise, proof)).toMatchObject({ ok: false });
    });
  }

  it('is allowed for any one good signature, whoever made it', () => {
    const room = new AuthRoom(roomVersions['12']);
    room.set('m.room.third_party_invite', 'token', bob, { public_key: key.publicKey });
    const proof = withSignatures({ nobody: { 'ed25519:x': 'AAAA' }, elsewhere: { 'ed25519:abc': signature } });
    const invite = { third_party_invite: { signed: proof } };
    expect(room.tryMember(carol, 'invite', bob, invite)).toEqual({ ok: true });
  });

  it('is refused when it takes too many signatures and keys to find the good pair', () => {
    const room = new AuthRoom(roomVersions['12']);
    const wrong = Array.from({ length: 8 }, (_, index) => {
      return { public_key: signingKeyFromSeed('ed25519:0', Buffer.alloc(32, 10 + index)).publicKey };
    });
    room.set('m.room.third_party_invite', 'token', bob, { public_keys: [...wrong, { public_key: key.publicKey }] });
    const bad = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`ed25519:${index}`, signature.replace(/^./, '_')]),
    );
    const proof = withSignatures({ nobody: bad, 'identity.example': { 'ed25519:0': signature } });
    const invite = { third_party_invite: { signed: proof } };
    expect(room.tryMember(carol, 'invite', bob, invite)).toMatchObject({ ok: false, rule: '5.4.1.8' });
  });
});

function withSignatures(signatures: JsonValue): JsonObject {
  return { ...signed, signatures };
}
