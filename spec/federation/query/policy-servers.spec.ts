/** Rooms with a policy server: two whole servers, and a third one that has a user in the room and signs as the test says. */
import { describe, expect, it, vi } from 'vitest';
import { verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import { signableEventText } from '../../../src/matrix/crypto/reference-hash.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { signText } from '../../../src/matrix/json/signed-json.ts';
import { findRoomVersion } from '../../../src/matrix/room-versions/table.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import type { PeerReply } from '../../support/federated-network.ts';
import { testSigningKey } from '../../support/keys.ts';
import { refusal } from '../../support/test-accounts.ts';
import { roomPath, succeeded, type TestClient } from '../../support/test-client.ts';

const patient = { timeout: 40_000, interval: 100 };
const policyKey = testSigningKey('policy.test', 'ed25519:policy_server');
const policy = { via: 'policy.test', public_keys: { ed25519: verifyKeyOf(policyKey).publicKey } };
const rules = findRoomVersion('12')!;

describe('rooms with a policy server', { timeout: 120_000 }, () => {
  const servers = useFederatedServers(['one.test', 'two.test', 'policy.test']);

  const start = async () => {
    const [alice, bob] = [await servers.register('one.test', 'alice'), await servers.register('two.test', 'bob')];
    const guard = await servers.register('policy.test', 'guard');
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await succeeded(bob.post(`/join/${roomId}?via=one.test`));
    const asked: JsonObject[] = [];
    const sign = (pdu: JsonObject, key = policyKey): PeerReply => ({
      json: { 'policy.test': { 'ed25519:policy_server': signText(signableEventText(pdu, rules), key) } },
    });
    const rule: { answer: (pdu: JsonObject, from: string) => PeerReply } = { answer: (pdu) => sign(pdu) };
    servers.network.intercept('policy.test', ({ uri, from, content = {} }) => {
      if (uri !== '/_matrix/policy/v1/sign') return undefined;
      asked.push(content);
      return rule.answer(content, from);
    });
    const enable = async () => {
      await alice.setState(roomId, 'm.room.policy', policy);
      await succeeded(guard.post(`/join/${roomId}?via=one.test`));
      await vi.waitUntil(
        async () => (await bob.get(`${roomPath(roomId)}/state/m.room.policy`)).status === 200,
        patient,
      );
      const member = `${roomPath(roomId)}/state/m.room.member/${encodeURIComponent(guard.userId)}`;
      await vi.waitUntil(async () => (await bob.get(member)).status === 200, patient);
      asked.length = 0;
    };
    return { alice, bob, guard, roomId, asked, sign, rule, enable };
  };
  const say = (who: TestClient, roomId: string, text: string) =>
    who.put(`${roomPath(roomId)}/send/m.room.message/${encodeURIComponent(text)}`, { msgtype: 'm.text', body: text });
  const texts = async (who: TestClient, roomId: string): Promise<unknown[]> => {
    const { json } = await who.get(`/rooms/${roomId}/messages`, { dir: 'b', limit: '100' });
    const events = (json['chunk'] as readonly JsonObject[]).filter(({ type }) => type === 'm.room.message');
    return events.map(({ content }) => (content as JsonObject)['body']).toReversed();
  };

  it('send what it has signed, and ask nobody again', async () => {
    const { alice, bob, roomId, asked, enable } = await start();
    await say(alice, roomId, 'before');
    expect(asked).toEqual([]);
    await enable();
    await say(alice, roomId, 'signed');
    await vi.waitUntil(async () => (await texts(bob, roomId)).includes('signed'), patient);
    expect(asked.filter(({ type }) => type === 'm.room.message')).toHaveLength(1);
    expect(asked[0]).toMatchObject({ room_id: roomId, sender: alice.userId, content: { body: 'signed' } });
    // The policy itself can be changed without it.
    asked.length = 0;
    await alice.setState(roomId, 'm.room.policy', {});
    expect(asked).toEqual([]);
    expect((await say(alice, roomId, 'after')).status).toBe(200);
    expect(asked).toEqual([]);
  });

  it('refuse what it refuses, in its own words, and what it signs badly', async () => {
    const { alice, roomId, rule, sign, enable, asked } = await start();
    await enable();
    rule.answer = () => ({ status: 400, json: { errcode: 'M_FORBIDDEN', error: 'This looks like spam' } });
    expect(await say(alice, roomId, 'spam')).toMatchObject({
      status: 400,
      json: { errcode: 'M_FORBIDDEN', error: 'This looks like spam' },
    });
    const name = () => alice.put(`${roomPath(roomId)}/state/m.room.name`, { name: 'spam' });
    expect(refusal(await name())).toEqual([400, 'M_FORBIDDEN']);
    rule.answer = () => ({ status: 404, json: { errcode: 'M_UNRECOGNIZED', error: 'no' } });
    expect(refusal(await name())).toEqual([404, 'M_UNRECOGNIZED']);
    // Of whoever is logged in here it has no say.
    rule.answer = () => ({ status: 401, json: { errcode: 'M_UNKNOWN_TOKEN', error: 'no' } });
    expect(refusal(await name())).toEqual([403, 'M_FORBIDDEN']);
    const other = testSigningKey('somebody else', 'ed25519:policy_server');
    for (const answer of [
      (pdu: JsonObject) => sign(pdu, other),
      () => ({ json: {} }),
      () => ({ json: { 'policy.test': 7 } }),
    ]) {
      rule.answer = answer;
      expect(refusal(await name())).toEqual([502, 'M_UNKNOWN']);
    }
    expect(await texts(alice, roomId)).toEqual([]);
    // Nobody without the power to do it is brought before the policy server, and nobody can be kept in the room.
    rule.answer = () => ({ status: 400, json: { errcode: 'M_FORBIDDEN', error: 'no' } });
    asked.length = 0;
    expect((await alice.post(`${roomPath(roomId)}/leave`)).status).toBe(200);
  });

  it('are asked about what came without their signature, and what they refuse is soft-failed', async () => {
    const { alice, bob, roomId, rule, sign, enable } = await start();
    const [carol, dora] = [await servers.register('two.test', 'carol'), await servers.register('two.test', 'dora')];
    for (const who of [carol, dora]) await succeeded(who.post(`/join/${roomId}?via=one.test`));
    await enable();
    const isLeave = ({ content }: JsonObject) => (content as JsonObject)['membership'] === 'leave';
    const leaves = async (): Promise<unknown[]> => {
      const { json } = await alice.get(`/rooms/${roomId}/messages`, { dir: 'b', limit: '100' });
      return (json['chunk'] as readonly JsonObject[]).filter(isLeave).map(({ sender }) => sender);
    };
    const refused = { status: 400, json: { errcode: 'M_FORBIDDEN', error: 'no' } };
    // Who leaves does so without a signature: so what they send is as of a server that knows nothing of policies.
    rule.answer = (pdu) => (isLeave(pdu) ? refused : sign(pdu));
    expect((await carol.post(`${roomPath(roomId)}/leave`)).status).toBe(200);
    expect((await say(bob, roomId, 'one')).status).toBe(200);
    await vi.waitUntil(async () => (await texts(alice, roomId)).includes('one'), patient);
    expect(await leaves()).toEqual([]);
    rule.answer = (pdu, from) => (isLeave(pdu) && from === 'two.test' ? refused : sign(pdu));
    expect((await dora.post(`${roomPath(roomId)}/leave`)).status).toBe(200);
    expect((await say(bob, roomId, 'two')).status).toBe(200);
    await vi.waitUntil(async () => (await texts(alice, roomId)).includes('two'), patient);
    expect(await leaves()).toEqual([dora.userId]);
    // Where it cannot be reached nothing is sent, until the room does without it.
    servers.cut('one.test', 'policy.test');
    expect(refusal(await say(alice, roomId, 'three'))).toEqual([502, 'M_UNKNOWN']);
    const before = servers.passed.length;
    expect(refusal(await say(alice, roomId, 'four'))).toEqual([502, 'M_UNKNOWN']);
    expect(servers.passed.slice(before).filter(({ uri }) => uri.includes('/policy/'))).toEqual([]);
    await alice.setState(roomId, 'm.room.policy', {});
    expect((await say(alice, roomId, 'five')).status).toBe(200);
  });
});
