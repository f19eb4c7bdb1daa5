import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase64, encodeBase64, encodeBase64Url } from '../../../src/matrix/ids/base64.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface Case {
  readonly bytes_hex: string;
  readonly encoded: string;
  readonly decodes: readonly string[];
}

describeShared('base64/gomatrixserverlib.json', () => {
  const { cases } = loadFixture<{ cases: Case[] }>('base64/gomatrixserverlib.json');
  test.each(cases)('$encoded', ({ bytes_hex, encoded, decodes }) => {
    expect(encodeBase64(Buffer.from(bytes_hex, 'hex'))).toBe(encoded);
    for (const text of decodes) expect(decodeBase64(text)?.toString('hex')).toBe(bytes_hex);
  });
});

describe('unpadded Base64', () => {
  test.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('the example %j of the specification', (text, encoded) => {
    expect(encodeBase64(Buffer.from(text))).toBe(encoded);
    expect(decodeBase64(encoded)?.toString()).toBe(text);
  });

  test('both alphabets decode to what was encoded, with and without padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        const padded = Buffer.from(bytes).toString('base64');
        for (const text of [encodeBase64(bytes), encodeBase64Url(bytes), padded]) {
          expect(decodeBase64(text)?.toString('hex')).toBe(hex);
        }
        expect(encodeBase64(bytes)).not.toContain('=');
      }),
    );
  });

  test.each(['A', 'AAAAA', 'AA=', 'AA===', 'AAA==', 'AAAA=', 'A A', 'AA\n', 'AA.A', 'ÄAAA', '====', '=AAA', 'A==A'])(
    'refuses %j',
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );
});
