import { expect, test } from 'vitest';
import { parseStoredPdu } from '../../../src/matrix/events/stored-pdu.ts';
import { canonicalJson, legacyCanonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';

test('a stored PDU is read as it was written', () => {
  const strict = '{"content":{"a":[1,{"b":"é"}]},"depth":5}';
  expect(canonicalJson(parseStoredPdu(strict, roomVersions['12']))).toBe(strict);
  const old = '{"content":{"a":1.0,"b":0.5},"depth":9223372036854775807}';
  expect(legacyCanonicalJson(parseStoredPdu(old, roomVersions['5']))).toBe(old);
});

test('what is no PDU is an error of ours', () => {
  for (const json of ['', '[]', '{"a":1', '1']) {
    expect(() => parseStoredPdu(json, roomVersions['12'])).toThrow(Error);
    expect(() => parseStoredPdu(json, roomVersions['1'])).toThrow(Error);
  }
});
