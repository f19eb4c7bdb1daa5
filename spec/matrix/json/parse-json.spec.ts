import * as fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MatrixError } from '../../../src/matrix/errors.ts';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';
import { type JsonLimits, parseJson } from '../../../src/matrix/json/parse-json.ts';
import { isRawNumber, numericValue, rawNumber } from '../../../src/matrix/json/raw-number.ts';

function errcodeOf(input: string | Uint8Array, limits?: JsonLimits): string {
  try {
    parseJson(input, limits);
    return 'none';
  } catch (error) {
    if (error instanceof MatrixError && error.status === 400) return error.errcode;
    throw error;
  }
}

describe('parseJson', () => {
  test('reads whatever JSON.stringify writes, from text and from bytes', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const value: unknown = JSON.parse(json);
        const text = JSON.stringify(value);
        expect(isDeepStrictEqual(parseJson(text), value)).toBe(true);
        expect(isDeepStrictEqual(parseJson(Buffer.from(text)), value)).toBe(true);
        expect(JSON.stringify(parseJson(new TextEncoder().encode(text), { numbers: 'exact' }))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test('refuses exactly what JSON.parse refuses', () => {
    const characters = fc.constantFrom(...'{}[]":,0123e.-+ \\utrnflas'.split(''), '"a"', '{"', 'true', '\\u00', '1.5');
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let value: unknown = undefined;
        try {
          value = JSON.parse(text);
        } catch {
          expect(errcodeOf(text)).toBe('M_NOT_JSON');
          return;
        }
        // Short texts can only repeat a key or be a huge number.
        if (errcodeOf(text) === 'none') expect(parseJson(text)).toStrictEqual(value);
        else expect(errcodeOf(text)).toBe('M_BAD_JSON');
      }),
      { numRuns: 20_000 },
    );
  });

  test.each(['', ' ', '{', '{"a":1,}', "{'a':1}", '[1,2', 'nul', '1 2', '\ufeff{}', '{"a":01}', '"\t"', '+1', 'NaN'])(
    '%j is not JSON',
    (text) => {
      expect(errcodeOf(text)).toBe('M_NOT_JSON');
      expect(errcodeOf(Buffer.from(text))).toBe('M_NOT_JSON');
    },
  );

  test.each([
    ['a byte that starts nothing', [0x22, 0xff, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut-off character', [0x22, 0xe2, 0x82, 0x22]],
  ])('bytes that are not UTF-8: %s', (_name, bytes) => {
    expect(errcodeOf(Uint8Array.from(bytes))).toBe('M_NOT_JSON');
  });

  test('bytes in the middle of a larger buffer', () => {
    const large = Buffer.from('xxx{"a":12345678901234567890}yyy');
    expect(parseJson(large.subarray(3, -3), { numbers: 'exact' })).toEqual({ a: rawNumber('12345678901234567890') });
  });
});

describe('keys', () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":{"c":1,"d":2,"c":3}}',
    '[{"a":1,"\\u0061":2}]',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
    '{"a":{"x":1},"b":2,"a":{"y":1,"z":2}}',
  ])('%s has one twice', (text) => {
    expect(errcodeOf(text)).toBe('M_BAD_JSON');
    expect(errcodeOf(text, { numbers: 'exact' })).toBe('M_BAD_JSON');
  });

  test('the same key in different objects is no duplicate', () => {
    expect(parseJson('{"a":{"a":[{"a":1},{"a":2}]}}')).toEqual({ a: { a: [{ a: 1 }, { a: 2 }] } });
  });

  test('keys of prototypes are data', () => {
    const value = parseJson('{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":2,"toString":3}');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor', 'hasOwnProperty', 'toString']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const exact = parseJson('{"__proto__":{"a":1.5},"constructor":1}', { numbers: 'exact' });
    expect(Object.keys(exact as object)).toEqual(['__proto__', 'constructor']);
  });

  test('colons and quotes in strings are not counted', () => {
    expect(parseJson('{"a:\\"b":":::\\\\","c":"{[:"}')).toEqual({ 'a:"b': ':::\\', c: '{[:' });
  });
});

describe('depth', () => {
  test.each([
    ['[', ']'],
    ['{"a":', '}'],
  ])('%s', (open, close) => {
    const nested = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
    expect(errcodeOf(nested(100))).toBe('none');
    expect(errcodeOf(nested(101))).toBe('M_BAD_JSON');
    expect(errcodeOf(nested(101), { depthMax: 500 })).toBe('none');
    expect(errcodeOf(nested(501), { depthMax: 500 })).toBe('M_BAD_JSON');
  });

  test('a bomb of a million brackets is refused', () => {
    expect(errcodeOf('['.repeat(1_000_000))).toBe('M_BAD_JSON');
  });

  test('breadth is not depth', () => {
    expect(errcodeOf(`[${'[],'.repeat(1000)}{}]`)).toBe('none');
  });
});

describe('numbers', () => {
  const odd = [
    '1.0',
    '1.5',
    '1e3',
    '-0',
    '-0.0',
    '1E+2',
    '9007199254740992',
    '-9007199254740992',
    '123456789012345678',
  ];
  const plain = ['0', '1', '-1', '9007199254740991', '-9007199254740991', '999999999999999', '-10'];

  test.each(odd)('%s is no canonical number', (text) => {
    const body = `{"a":[${text}]}`;
    expect(parseJson(body)).toEqual({ a: [Number(text)] });
    expect(errcodeOf(body, { numbers: 'canonical' })).toBe('M_BAD_JSON');
    const exact = parseJson(body, { numbers: 'exact' });
    expect(JSON.stringify(exact)).toBe(body);
    expect(exact).toEqual({ a: [rawNumber(text)] });
  });

  test.each(plain)('%s is one', (text) => {
    for (const numbers of ['any', 'canonical', 'exact'] as const) {
      expect(parseJson(`{"a":[${text}]}`, { numbers })).toStrictEqual({ a: [Number(text)] });
      expect(parseJson(text, { numbers })).toBe(Number(text));
    }
  });

  test('numbers in strings are not looked at', () => {
    expect(parseJson('{"1.5":"1e3"}', { numbers: 'canonical' })).toEqual({ '1.5': '1e3' });
  });

  test('what no double can hold is refused, unless its text is kept', () => {
    for (const text of ['1e999', '-1e309', '1'.repeat(400)]) {
      expect(errcodeOf(`[${text}]`)).toBe('M_BAD_JSON');
      expect(JSON.stringify(parseJson(`[${text}]`, { numbers: 'exact' }))).toBe(`[${text}]`);
    }
  });

  test('the value of a raw number', () => {
    const value = parseJson('[1.0,2,"3",null]', { numbers: 'exact' });
    expect((value as JsonValue[]).map(numericValue)).toEqual([1, 2, undefined, undefined]);
    expect(numericValue(undefined)).toBeUndefined();
    expect([isRawNumber(rawNumber('1.0')), isRawNumber({ rawJSON: '1.0' })]).toEqual([true, false]);
  });
});

describe('surrogates', () => {
  test.each(['"\\ud83d\\ude00"', '"a\\uD83D\\uDE00b"', '"\\\\ud800"', '"\\u0064800"', '"\\ud7ff\\ue000"'])(
    '%s is fine',
    (text) => {
      expect(parseJson(text)).toBe(JSON.parse(text));
    },
  );

  test.each([
    '"\\ud800"',
    '"\\udc00"',
    '"\\ude00\\ud83d"',
    '"\\ud83dx\\ude00"',
    '"\\ud83d\\ud83d\\ude00"',
    '"\\uD83D\\u0041"',
    '{"\\udfff":1}',
  ])('%s holds half a pair', (text) => {
    expect(errcodeOf(text)).toBe('M_BAD_JSON');
    expect(errcodeOf(Buffer.from(text))).toBe('M_BAD_JSON');
  });

  test('half a pair in the text itself', () => {
    expect(errcodeOf('"\ud800"')).toBe('M_BAD_JSON');
  });

  test('every pair of escapes is judged as the string that it makes', () => {
    const unit = fc.integer({ min: 0xd700, max: 0xe0ff });
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 4 }), (units) => {
        const text = `"${units.map((one) => `\\u${one.toString(16)}`).join('')}"`;
        const made: unknown = JSON.parse(text);
        expect(errcodeOf(text)).toBe(String(made).isWellFormed() ? 'none' : 'M_BAD_JSON');
      }),
      { numRuns: 3000 },
    );
  });
});
