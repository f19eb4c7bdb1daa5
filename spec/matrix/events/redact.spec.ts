import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentHash, namesContentHash } from '../../../src/matrix/crypto/content-hash.ts';
import { referenceHash } from '../../../src/matrix/crypto/reference-hash.ts';
import { redact } from '../../../src/matrix/events/redact.ts';
import { canonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { findRoomVersion, roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { canonicalValue, jsonText } from '../../support/arbitrary-json.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface Case {
  readonly name: string;
  readonly room_version: string;
  readonly input: JsonObject;
  readonly redacted: JsonObject;
}

describeShared('redaction', () => {
  test.each(['synapse', 'gomatrixserverlib', 'ruma'].flatMap(casesOf))(
    '$file.json: $name, room version $room_version',
    ({ file, room_version, input, redacted }) => {
      const rules = findRoomVersion(room_version);
      if (rules === undefined) throw new Error(`no room version ${room_version}`);
      // Synapse keeps a part of unsigned; the algorithm of the specification takes all of it away.
      const { unsigned: _unsigned, ...expected } = redacted;
      expect(redact(input, rules)).toEqual(file === 'synapse' ? { content: {}, ...expected } : redacted);
    },
  );

  function casesOf(file: string): (Case & { file: string })[] {
    return loadFixture<{ cases: Case[] }>(`redaction/${file}.json`).cases.map((one) => ({ ...one, file }));
  }
});

describe('redaction', () => {
  const types = [...new Set(Object.values(roomVersions).flatMap((rules) => Object.keys(rules.redaction.contentKeys)))];
  const contentKeys = fc.constantFrom(
    'membership',
    'join_authorised_via_users_server',
    'third_party_invite',
    'creator',
    'join_rule',
    'allow',
    'users',
    'invite',
    'aliases',
    'history_visibility',
    'redacts',
    'signed',
    '__proto__',
  );
  const content = fc
    .array(fc.tuple(fc.oneof(contentKeys, jsonText), fc.oneof(canonicalValue, fc.constant({ signed: { a: 1 }, b: 2 }))))
    .map((entries): JsonObject => Object.fromEntries(entries));
  const eventKeys = fc.oneof(
    fc.constantFrom('event_id', 'room_id', 'sender', 'state_key', 'depth', 'origin', 'membership', 'prev_state'),
    fc.constantFrom('prev_events', 'auth_events', 'hashes', 'signatures', 'unsigned', 'redacts', '__proto__'),
    jsonText,
  );
  const event = fc
    .tuple(
      fc.array(fc.tuple(eventKeys, canonicalValue), { maxLength: 8 }),
      fc.oneof(fc.constantFrom<JsonValue[]>(...types, 'm.room.message', 'constructor', '__proto__'), canonicalValue),
      fc.oneof(content, canonicalValue),
    )
    .map(([entries, type, value]): JsonObject => ({ ...Object.fromEntries(entries), type, content: value }));

  test.each(Object.values(roomVersions))('of room version $version', (rules) => {
    fc.assert(
      fc.property(event, (pdu) => {
        const once = redact(pdu, rules);
        expect(canonicalJson(redact(once, rules))).toBe(canonicalJson(once));
        expect(referenceHash(once, rules)).toBe(referenceHash(pdu, rules));
        for (const key of Object.keys(once)) expect([...rules.redaction.eventKeys]).toContain(key);
        expect(once).not.toHaveProperty('unsigned');
        for (const key of Object.keys(pdu)) {
          if (key === 'content' || !rules.redaction.eventKeys.includes(key)) continue;
          expect(once[key]).toBe(pdu[key]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('does not change the event itself', () => {
    const pdu = Object.freeze({ type: 'm.room.message', content: Object.freeze({ body: 'x' }), unsigned: {} });
    expect(redact(pdu, roomVersions['12'])).toEqual({ type: 'm.room.message', content: {} });
    expect(pdu.content).toEqual({ body: 'x' });
  });

  test('content that is no object becomes empty, so that what is left can be hashed by everybody', () => {
    for (const bad of [undefined, null, 'x', 1, ['a']]) {
      expect(redact({ type: 'm.room.create', content: bad }, roomVersions['12'])).toEqual({
        type: 'm.room.create',
        content: {},
      });
    }
  });

  test('types and keys from prototypes keep nothing', () => {
    expect(redact({ type: 'constructor', content: { a: 1 } }, roomVersions['1'])['content']).toEqual({});
    const content: JsonObject = JSON.parse('{"__proto__":{"membership":"join"}}');
    expect(redact({ type: 'm.room.member', content }, roomVersions['1'])['content']).toEqual({});
  });
});

describe('the content hash', () => {
  test('of the whole event is not that of the redacted one', () => {
    const pdu = { type: 'm.room.message', content: { body: 'x' }, sender: '@a:b' };
    const hashed = { ...pdu, hashes: { sha256: contentHash(pdu) } };
    expect(namesContentHash(hashed, contentHash(hashed))).toBe(true);
    expect(namesContentHash(hashed, contentHash(redact(hashed, roomVersions['12'])))).toBe(false);
  });

  test('is compared by its bytes', () => {
    const expected = contentHash({ type: 'X' });
    const standard = Buffer.from(expected, 'base64');
    expect(namesContentHash({ hashes: { sha256: standard.toString('base64') } }, expected)).toBe(true);
    expect(namesContentHash({ hashes: { sha256: standard.toString('base64url') } }, expected)).toBe(true);
    for (const hashes of [undefined, {}, { sha256: 1 }, { sha256: '' }, { sha256: 'no base64!' }, { sha256: 'AAAA' }]) {
      expect(namesContentHash({ hashes }, expected)).toBe(false);
    }
  });
});
