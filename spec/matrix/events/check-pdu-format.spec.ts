import { describe, expect, test } from 'vitest';
import { checkPduFormat, checkTextBytes } from '../../../src/matrix/events/check-pdu-format.ts';
import { canonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import type { RoomVersionRules } from '../../../src/matrix/room-versions/rules.ts';
import { findRoomVersion, roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

describeShared('event-format/ruma.json', () => {
  const { cases } = loadFixture<{ cases: { name: string; rules: string; pdu: JsonObject; valid: boolean }[] }>(
    'event-format/ruma.json',
  );
  test.each(cases)('$name, room version $rules', ({ rules, pdu, valid }) => {
    const version = findRoomVersion(rules);
    if (version === undefined) throw new Error(`no room version ${rules}`);
    expect(checkPduFormat(pdu, version).ok).toBe(valid);
  });
});

describeShared('event-format/gomatrixserverlib.json', () => {
  const { base, cases } = loadFixture<{ base: JsonObject; cases: { name: string; set: JsonObject; valid: boolean }[] }>(
    'event-format/gomatrixserverlib.json',
  );
  // The source checks some fields only, so its base lacks others that every event must have. Its room id has a domain,
  // which room version 12 does not allow.
  const versions = Object.values(roomVersions).filter((rules) => rules.roomIdFormat === 'opaque');

  test.each(cases)('$name', ({ set, valid }) => {
    for (const rules of versions) {
      const pdu = { ...requiredFields(rules), ...base, ...set };
      // The source says one word for what is dropped and for what is rejected because of its bytes.
      expect(checkPduFormat(pdu, rules).ok && checkTextBytes(pdu).ok).toBe(valid);
    }
    expect(versions).toHaveLength(11);
  });

  function requiredFields(rules: RoomVersionRules): JsonObject {
    const { depth, origin_server_ts, hashes, signatures, event_id } = validPdu(rules);
    return { depth, origin_server_ts, hashes, signatures, event_id };
  }
});

describe.each(Object.values(roomVersions))('the event format of room version $version', (rules) => {
  const pdu = validPdu(rules);
  const verdict = (changes: JsonObject) => checkPduFormat({ ...pdu, ...changes }, rules);
  const isBad = (changes: JsonObject) => expect(verdict(changes)).toMatchObject({ ok: false, errcode: 'M_BAD_JSON' });
  const isTooLarge = (changes: JsonObject) =>
    expect(verdict(changes)).toMatchObject({ ok: false, errcode: 'M_TOO_LARGE' });

  test('accepts an event', () => {
    expect(verdict({})).toEqual({ ok: true });
    expect(verdict({ state_key: '', unsigned: { age: 1 }, 'org.example.more': [1] })).toEqual({ ok: true });
  });

  test.each([
    'sender',
    'type',
    'content',
    'depth',
    'origin_server_ts',
    'hashes',
    'signatures',
    'prev_events',
    'auth_events',
    'room_id',
  ])('wants %s, of the right type', (key) => {
    for (const value of [undefined, null, true, 'x', 1.5, [], [1]]) {
      const isText = key === 'type' && value === 'x';
      const isEmptyList = key.endsWith('_events') && Array.isArray(value) && value.length === 0;
      if (!isText && !isEmptyList) isBad({ [key]: value });
    }
  });

  test('the create event has no room id where the room version makes it from the event', () => {
    const result = verdict({ type: 'm.room.create', state_key: '', room_id: undefined });
    expect(result.ok).toBe(rules.version === '12');
  });

  test('a state key is a string', () => {
    for (const value of [null, 1, {}, false]) isBad({ state_key: value });
  });

  test('fields of 255 bytes are the longest, of 255 characters in old versions', () => {
    for (const key of ['type', 'state_key']) {
      expect(verdict({ [key]: 'a'.repeat(255) }).ok).toBe(true);
      isTooLarge({ [key]: 'a'.repeat(256) });
      // Others counted code points at first, and made events that are not to be dropped but rejected.
      const inOldVersions = { [key]: 'ä'.repeat(128) };
      if (rules.eventFormat.strictByteLimits) isTooLarge(inOldVersions);
      else expect(verdict(inOldVersions).ok).toBe(true);
      isTooLarge({ [key]: '💥'.repeat(256) });
    }
    expect(verdict({ sender: `@${'a'.repeat(242)}:example.org` }).ok).toBe(true);
    isTooLarge({ sender: `@${'a'.repeat(243)}:example.org` });
    isTooLarge({ room_id: `!${'a'.repeat(255)}` });
    isTooLarge({ event_id: `$${'a'.repeat(255)}` });
  });

  test('20 previous events and 10 auth events are the most', () => {
    const [reference = null] = pdu['prev_events'] as JsonValue[];
    const list = (count: number): JsonValue[] => Array.from({ length: count }, () => reference);
    expect(verdict({ prev_events: list(20), auth_events: list(10) }).ok).toBe(true);
    isBad({ prev_events: list(21) });
    isBad({ auth_events: list(11) });
  });

  test('references have the form of the room version', () => {
    const forms: Record<string, JsonValue> = {
      'id-and-hash': ['$a:example.org', { sha256: 'abc' }],
      'reference-hash': '$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk',
      'url-safe-reference-hash': '$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg',
    };
    const own = rules.referenceFormat === 'id-and-hash' ? 'id-and-hash' : rules.eventIdFormat;
    for (const [form, reference] of Object.entries(forms)) {
      expect(verdict({ prev_events: [reference] }).ok).toBe(form === own);
      expect(verdict({ auth_events: [reference] }).ok).toBe(form === own);
    }
    for (const reference of [null, 1, '', '$', 'x', '$a b', ['$a:b'], ['$a:b', 'x'], ['x', {}], {}]) {
      isBad({ prev_events: [reference] });
    }
  });

  test('identifiers have the grammar that others may use', () => {
    expect(verdict({ sender: '@Ünïcödé:example.org' }).ok).toBe(true);
    for (const sender of ['a:example.org', '@a', '@a:b_c', '@a\0:example.org', '']) isBad({ sender });
    for (const room_id of ['', '!', 'a:example.org', '#a:example.org', '!a:b_c']) isBad({ room_id });
    expect(verdict({ room_id: '!a:example.org' }).ok).toBe(rules.roomIdFormat === 'opaque');
    expect(verdict({ room_id: '!jxlRxnrZCsjpjDubDX-accqGxfvhBvMP4Sf6P7t3W8' }).ok).toBe(rules.version === '12');
    if (rules.eventFormat.eventIdField) for (const event_id of [undefined, 1, '', '$a', 'a:b']) isBad({ event_id });
  });

  test('the depth is in range', () => {
    const read = (depth: string) => verdict({ depth: parseJson(depth, { numbers: 'exact' }) }).ok;
    expect(['0', '1', '9007199254740991'].map(read)).toEqual([true, true, true]);
    expect(['-1', '1.5', '1.0', '1e3', '9223372036854775808', '99999999999999999999'].map(read)).not.toContain(true);
    // Events of old rooms have reached the old limit.
    expect(read('9223372036854775807')).toBe(!rules.strictCanonicalJson);
  });

  test('numbers are canonical since room version 6', () => {
    for (const number of ['1.5', '1.0', '-0', '1e3', '9007199254740992']) {
      const content = parseJson(`{"a":[${number}]}`, { numbers: 'exact' });
      expect(verdict({ content }).ok).toBe(!rules.strictCanonicalJson);
    }
  });

  test('65,536 bytes of canonical JSON are the most', () => {
    const sizeOf = (body: string): number => Buffer.byteLength(canonicalJson({ ...pdu, content: { body } }));
    const room = 65_536 - sizeOf('');
    expect(verdict({ content: { body: 'a'.repeat(room) } })).toEqual({ ok: true });
    isTooLarge({ content: { body: 'a'.repeat(room + 1) } });
    // Two bytes each in UTF-8, six in the escapes of JSON.
    isTooLarge({ content: { body: 'ä'.repeat(room / 2 + 1) } });
    isTooLarge({ content: { body: '\u0001'.repeat(room / 6 + 1) } });
  });

  test('the create event is not among the auth events where the room id stands for it', () => {
    if (rules.roomIdFormat !== 'create-event-id') return;
    isBad({ auth_events: ['$mauT12AzsoqxV7Abvy_ApA-HNPK1LcT4GbP70_AOPyQ'] });
  });
});

function validPdu(rules: RoomVersionRules): JsonObject {
  const references: Record<string, JsonValue> = {
    opaque: ['$before:example.org', { sha256: 'hash' }],
    'reference-hash': '$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk',
    'url-safe-reference-hash': '$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg',
  };
  return {
    auth_events: [references[rules.eventIdFormat] ?? null],
    content: { body: 'x' },
    depth: 5,
    ...(rules.eventFormat.eventIdField ? { event_id: '$this:example.org' } : {}),
    hashes: { sha256: 'hash' },
    origin_server_ts: 1_700_000_000_000,
    prev_events: [references[rules.eventIdFormat] ?? null],
    room_id: rules.roomIdFormat === 'opaque' ? '!room:example.org' : '!mauT12AzsoqxV7Abvy_ApA-HNPK1LcT4GbP70_AOPyQ',
    sender: '@alice:example.org',
    signatures: {},
    type: 'm.room.message',
  };
}
