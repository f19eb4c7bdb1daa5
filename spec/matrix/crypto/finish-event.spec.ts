import * as fc from 'fast-check';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { contentHash } from '../../../src/matrix/crypto/content-hash.ts';
import type { FindServerKey } from '../../../src/matrix/crypto/event-signatures.ts';
import { finishEvent, signEvent } from '../../../src/matrix/crypto/finish-event.ts';
import { receivePdu } from '../../../src/matrix/crypto/receive-pdu.ts';
import { eventId, signableEventText } from '../../../src/matrix/crypto/reference-hash.ts';
import { MatrixError } from '../../../src/matrix/errors.ts';
import { redact } from '../../../src/matrix/events/redact.ts';
import { decodeBase64 } from '../../../src/matrix/ids/base64.ts';
import { canonicalJson, legacyCanonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import type { RoomVersionRules } from '../../../src/matrix/room-versions/rules.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { canonicalObject, jsonText } from '../../support/arbitrary-json.ts';
import { findKeyAmong, testSigningKey } from '../../support/keys.ts';

const key = testSigningKey('example.org');
const otherKey = testSigningKey('other.example');
const findKey: FindServerKey = (serverName, keyId) =>
  findKeyAmong(...(serverName === 'example.org' ? [key] : serverName === 'other.example' ? [otherKey] : []))(keyId);

const v1 = roomVersions['1'];
const v12 = roomVersions['12'];

describe.each(Object.values(roomVersions))('an event of room version $version', (rules) => {
  const types = fc.oneof(
    fc.constantFrom('m.room.message', 'm.room.member', 'm.room.power_levels', 'm.room.redaction'),
    jsonText.filter((text) => Buffer.byteLength(text) <= 255 && text !== 'm.room.create'),
  );

  test('finished here is what each step gives by itself, and is received as it was sent', () => {
    fc.assert(
      fc.property(types, canonicalObject, fc.option(jsonText, { nil: undefined }), (type, content, stateKey) => {
        // Some memberships need further signatures.
        if (type === 'm.room.member' && Object.hasOwn(content, 'membership')) return;
        const pdu = draft(rules, { type, content, ...(stateKey === undefined ? {} : { state_key: stateKey }) });
        const { event, body } = finishEvent(pdu, rules, 'example.org', key);
        const hashed = { ...pdu, hashes: { sha256: contentHash(pdu, rules) } };
        const signed = signEvent(hashed, 'example.org', key, rules);
        expect(body).toBe(canonicalJson(signed));
        expect(canonicalJson(event.pdu)).toBe(body);
        expect(event.eventId).toBe(eventId(signed, rules));
        expect(event).toMatchObject({ type, sender: '@alice:example.org', depth: 5 });

        const received = receivePdu(parseJson(body, { numbers: 'exact' }) as JsonObject, rules, findKey);
        expect(received).toMatchObject({ ok: true, body, wasRedacted: false, event: { eventId: event.eventId } });
      }),
      { numRuns: 60 },
    );
  });

  test('is signed so that tweetnacl verifies it', () => {
    const { event } = finishEvent(draft(rules, { content: { body: 'x' } }), rules, 'example.org', key);
    const signatures = event.pdu['signatures'] as { 'example.org': { 'ed25519:1': string } };
    const signature = decodeBase64(signatures['example.org']['ed25519:1']) ?? Buffer.alloc(0);
    const text = Buffer.from(signableEventText(event.pdu, rules));
    const publicKey = decodeBase64(key.publicKey) ?? Buffer.alloc(0);
    const verified = nacl.sign.detached.verify(
      Uint8Array.from(text),
      Uint8Array.from(signature),
      Uint8Array.from(publicKey),
    );
    expect(verified).toBe(true);
  });

  test('whose content was changed on the way is received redacted, with the same id', () => {
    const { event } = finishEvent(draft(rules, { content: { body: 'x' } }), rules, 'example.org', key);
    const received = receivePdu({ ...event.pdu, content: { body: 'y' } }, rules, findKey);
    expect(received).toMatchObject({ ok: true, wasRedacted: true });
    if (!received.ok) return;
    expect(received.event.pdu).toEqual(redact(event.pdu, rules));
    expect(received.body).toBe(canonicalJson(redact(event.pdu, rules)));
    expect(received.event.eventId).toBe(event.eventId);
  });

  test('keeps unsigned, which is neither hashed nor signed', () => {
    const plain = finishEvent(draft(rules, {}), rules, 'example.org', key);
    const { event, body } = finishEvent(draft(rules, { unsigned: { age_ts: 1 } }), rules, 'example.org', key);
    expect(event.pdu).toEqual({ ...plain.event.pdu, unsigned: { age_ts: 1 } });
    expect(JSON.parse(body)).toEqual(event.pdu);
    expect(event.eventId).toBe(plain.event.eventId);
  });
});

describe('finishEvent', () => {
  test('refuses what no other server would take', () => {
    const attempt = (changes: JsonObject, rules = v12) => {
      try {
        finishEvent(draft(rules, changes), rules, 'example.org', key);
        return 'none';
      } catch (error) {
        if (error instanceof MatrixError) return `${error.status} ${error.errcode}`;
        throw error;
      }
    };
    expect(attempt({ content: { body: 'a'.repeat(65_536) } })).toBe('413 M_TOO_LARGE');
    expect(attempt({ type: 'a'.repeat(256) })).toBe('413 M_TOO_LARGE');
    expect(attempt({ content: { a: 1.5 } })).toBe('400 M_BAD_JSON');
    expect(attempt({ content: { a: 2 ** 53 } })).toBe('400 M_BAD_JSON');
    expect(attempt({ content: { a: 1.5 } }, v1)).toBe('none');
    expect(attempt({ content: 'x' })).toBe('400 M_BAD_JSON');
    expect(attempt({ event_id: undefined }, v1)).toBe('400 M_BAD_JSON');
  });

  test('replaces hashes and adds to signatures', () => {
    const signatures = { 'other.example': { 'ed25519:x': 'y' } };
    const { event } = finishEvent(draft(v12, { hashes: { md5: 'x' }, signatures }), v12, 'example.org', key);
    expect(Object.keys(event.pdu['hashes'] as JsonObject)).toEqual(['sha256']);
    expect(Object.keys(event.pdu['signatures'] as JsonObject)).toEqual(['other.example', 'example.org']);
  });

  test('the create event of room version 12 makes the room id', () => {
    const pdu = { ...draft(v12, { type: 'm.room.create', state_key: '', auth_events: [], prev_events: [] }) };
    const { event } = finishEvent({ ...pdu, room_id: undefined }, v12, 'example.org', key);
    expect(event.roomId).toBe(event.eventId.replace('$', '!'));
    expect(event.pdu).not.toHaveProperty('room_id', expect.anything());
  });

  test('in room versions 1 and 2 the event keeps the id that it came with', () => {
    const { event, body } = finishEvent(draft(v1, { content: { body: 'x' } }), v1, 'example.org', key);
    expect(event.eventId).toBe('$this:example.org');
    expect(body).toContain('"event_id":"$this:example.org"');
  });
});

describe('events of old rooms with numbers outside canonical JSON', () => {
  test('keep their hash and signature', () => {
    const v5 = roomVersions['5'];
    const content = parseJson('{"z":1.0,"a":[1e3,12345678901234567890,0.5]}', { numbers: 'exact' }) as JsonObject;
    const { event, body } = finishEvent(draft(v5, { content }), v5, 'example.org', key);
    expect(body).toContain('{"a":[1000,12345678901234567890,0.5],"z":1.0}');
    const received = receivePdu(parseJson(body, { numbers: 'exact' }) as JsonObject, v5, findKey);
    expect(received).toMatchObject({ ok: true, wasRedacted: false, body, event: { eventId: event.eventId } });
    expect(legacyCanonicalJson(event.pdu)).toBe(body);
  });

  test('may have a depth of 2^63−1', () => {
    const v5 = roomVersions['5'];
    const depth = parseJson('9223372036854775807', { numbers: 'exact' });
    const { event, body } = finishEvent(draft(v5, { depth }), v5, 'example.org', key);
    expect(body).toContain('"depth":9223372036854775807,');
    expect(event.depth).toBe(2 ** 63);
  });
});

describe('receivePdu', () => {
  const { event } = finishEvent(draft(v12, { content: { body: 'x' } }), v12, 'example.org', key);

  test('drops what has not the format', () => {
    expect(receivePdu({ ...event.pdu, depth: 'x' }, v12, findKey)).toMatchObject({ ok: false, step: 'format' });
    expect(receivePdu({ ...event.pdu, content: { a: 1.5 } }, v12, findKey)).toMatchObject({
      ok: false,
      step: 'format',
    });
    const large = { ...event.pdu, content: { a: 'a'.repeat(65_536) } };
    expect(receivePdu(large, v12, findKey)).toMatchObject({ ok: false, step: 'format' });
  });

  test('drops what the sender’s server has not signed', () => {
    const fault = (changes: JsonObject) => {
      const received = receivePdu({ ...event.pdu, ...changes }, v12, findKey);
      return received.ok || received.step !== 'signatures' ? received : received.fault;
    };
    expect(fault({ signatures: {} })).toEqual({ ok: false, serverName: 'example.org', reason: 'unsigned' });
    expect(fault({ sender: '@a:other.example' })).toMatchObject({ serverName: 'other.example', reason: 'unsigned' });
    expect(fault({ depth: 6 })).toMatchObject({ serverName: 'example.org', reason: 'invalid' });
    expect(receivePdu(event.pdu, v12, () => undefined)).toMatchObject({ fault: { reason: 'unknown-key' } });
  });
});

function draft(rules: RoomVersionRules, changes: JsonObject): JsonObject {
  const references: Record<string, JsonValue> = {
    opaque: ['$before:example.org', { sha256: 'hash' }],
    'reference-hash': '$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk',
    'url-safe-reference-hash': '$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg',
  };
  return {
    type: 'm.room.message',
    sender: '@alice:example.org',
    room_id: rules.roomIdFormat === 'opaque' ? '!room:example.org' : '!mauT12AzsoqxV7Abvy_ApA-HNPK1LcT4GbP70_AOPyQ',
    prev_events: [references[rules.eventIdFormat] ?? null],
    auth_events: [references[rules.eventIdFormat] ?? null],
    content: {},
    depth: 5,
    origin_server_ts: 1_700_000_000_000,
    ...(rules.eventFormat.eventIdField ? { event_id: '$this:example.org' } : {}),
    ...changes,
  };
}
