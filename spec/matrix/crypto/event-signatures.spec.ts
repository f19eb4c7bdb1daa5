import { describe, expect, test } from 'vitest';
import { requiredSigners, verifyEventSignatures } from '../../../src/matrix/crypto/event-signatures.ts';
import { signEvent } from '../../../src/matrix/crypto/finish-event.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { findKeyAmong, testSigningKey } from '../../support/keys.ts';

const message: JsonObject = { type: 'm.room.message', sender: '@alice:one:8448', event_id: '$x:two', content: {} };
const member = (content: JsonObject): JsonObject => ({ ...message, type: 'm.room.member', state_key: '@b:c', content });

describe('which servers must have signed', () => {
  test('the sender’s, and in room versions 1 and 2 that of the event id', () => {
    for (const rules of Object.values(roomVersions)) {
      const isOld = rules.version === '1' || rules.version === '2';
      expect(requiredSigners(message, rules)).toEqual(isOld ? ['one:8448', 'two'] : ['one:8448']);
    }
    expect(requiredSigners({ ...message, event_id: '$x:one:8448' }, roomVersions['1'])).toEqual(['one:8448']);
  });

  test('of a third-party invite not the sender’s', () => {
    const invite = member({ membership: 'invite', third_party_invite: { signed: {} } });
    expect(requiredSigners(invite, roomVersions['12'])).toEqual([]);
    expect(requiredSigners(invite, roomVersions['1'])).toEqual(['two']);
    expect(requiredSigners(member({ membership: 'join', third_party_invite: {} }), roomVersions['12'])).toEqual([
      'one:8448',
    ]);
    expect(requiredSigners(member({ membership: 'invite' }), roomVersions['12'])).toEqual(['one:8448']);
  });

  test('of a restricted join also that of the user who authorised it, since room version 8', () => {
    const join = member({ membership: 'join', join_authorised_via_users_server: '@carol:three' });
    expect(requiredSigners(join, roomVersions['7'])).toEqual(['one:8448']);
    expect(requiredSigners(join, roomVersions['8'])).toEqual(['one:8448', 'three']);
    expect(requiredSigners(join, roomVersions['12'])).toEqual(['one:8448', 'three']);
    const leave = member({ membership: 'leave', join_authorised_via_users_server: '@carol:three' });
    expect(requiredSigners(leave, roomVersions['12'])).toEqual(['one:8448']);
  });

  test('names that are missing or no strings belong to nobody', () => {
    for (const bad of [1, null, 'carol', {}]) {
      const join = member({ membership: 'join', join_authorised_via_users_server: bad });
      expect(requiredSigners(join, roomVersions['12'])).toEqual(['one:8448', '']);
      expect(verifyEventSignatures(join, roomVersions['12'], () => undefined).ok).toBe(false);
    }
    expect(requiredSigners({}, roomVersions['1'])).toEqual(['']);
  });
});

describe('the signatures of an event', () => {
  const rules = roomVersions['12'];
  const [one, three] = [testSigningKey('one'), testSigningKey('three')];
  const findKey = (serverName: string, keyId: string) =>
    serverName === 'one:8448'
      ? findKeyAmong(one)(keyId)
      : serverName === 'three'
        ? findKeyAmong(three)(keyId)
        : undefined;
  const join = member({ membership: 'join', join_authorised_via_users_server: '@carol:three' });
  const signedByOne = signEvent(join, 'one:8448', one, rules);

  test('must be there from every required server', () => {
    expect(verifyEventSignatures(signedByOne, rules, findKey)).toEqual({
      ok: false,
      serverName: 'three',
      reason: 'unsigned',
    });
    const signedByBoth = signEvent(signedByOne, 'three', three, rules);
    expect(verifyEventSignatures(signedByBoth, rules, findKey)).toEqual({ ok: true });
    const signedByWrongKey = signEvent(signedByOne, 'three', one, rules);
    expect(verifyEventSignatures(signedByWrongKey, rules, findKey)).toMatchObject({
      serverName: 'three',
      reason: 'invalid',
    });
  });

  test('by a key that is not known do not count, and do no harm beside a good one', () => {
    const policyKey = testSigningKey('policy', 'ed25519:policy_server');
    const more = signEvent(signEvent(signedByOne, 'three', three, rules), 'one:8448', policyKey, rules);
    expect(verifyEventSignatures(more, rules, findKey)).toEqual({ ok: true });
    expect(verifyEventSignatures(more, rules, () => undefined)).toMatchObject({ reason: 'unknown-key' });
  });
});
