import { walk } from 'canonical-json';
import * as fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  canonicalJson,
  CanonicalJsonError,
  compareCodePoints,
  legacyCanonicalJson,
} from '../../../src/matrix/json/canonical-json.ts';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { canonicalValue, jsonText, shuffled } from '../../support/arbitrary-json.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface TextCase {
  readonly name?: string;
  readonly input: string;
  readonly canonical?: string;
  readonly error?: boolean;
}

describeShared('canonical-json', () => {
  // The sources' `convert` and the specification's last example rewrite -0 and 1e10, which strict reading refuses; that
  // is the encoder for room versions that must bear with such numbers.
  const lenient = ['matrix-spec', 'gomatrixserverlib'];
  test.each(lenient.flatMap((file) => casesOf(file)))('$file: $input', ({ input, canonical }) => {
    expect(legacyCanonicalJson(parseJson(input, { numbers: 'exact' }))).toBe(canonical);
    expect(legacyCanonicalJson(parseJson(input))).toBe(canonical);
    if (!/-0|1e10/.test(input)) expect(canonicalJson(parseJson(input, { numbers: 'canonical' }))).toBe(canonical);
  });

  test.each(casesOf('ruma'))('ruma.json: $input', ({ input, canonical, error }) => {
    if (error === true) expect(() => parseJson(input, { numbers: 'canonical' })).toThrow('number');
    else expect(canonicalJson(parseJson(input))).toBe(canonical);
    if (error === true) expect(() => canonicalJson(parseJson(input, { numbers: 'exact' }))).toThrow(CanonicalJsonError);
  });

  const python = loadFixture<{ cases: { value: JsonValue; canonical: string; error?: boolean }[] }>(
    'canonical-json/python-canonicaljson.json',
  );
  test.each(python.cases)('python-canonicaljson.json: $canonical', ({ value, canonical, error }) => {
    expect(error).toBeUndefined();
    expect(canonicalJson(value)).toBe(canonical);
  });

  const strictness = loadFixture<{ cases: { name: string; input: string; accepted_in: Record<string, boolean> }[] }>(
    'canonical-json/strictness.json',
  );
  test.each(strictness.cases)('strictness.json: $name', ({ input, accepted_in }) => {
    for (const [version, accepted] of Object.entries(accepted_in)) {
      // Room versions are strict from 6 on.
      const write = Number(version) >= 6 ? canonicalJson : legacyCanonicalJson;
      const attempt = () => write(parseJson(input, { numbers: 'exact' }));
      if (accepted) expect(attempt()).toMatch(/^\{/);
      else expect(attempt).toThrow(CanonicalJsonError);
      if (Number(version) < 6) continue;
      const strictly = () => parseJson(input, { numbers: 'canonical' });
      if (accepted) expect(strictly()).toEqual(JSON.parse(input));
      else expect(strictly).toThrow('number');
    }
  });

  function casesOf(file: string): (TextCase & { file: string })[] {
    const { cases } = loadFixture<{ cases: TextCase[] }>(`canonical-json/${file}.json`);
    return cases.map((one) => ({ ...one, file }));
  }
});

describe('canonical JSON', () => {
  // In UTF-8, the order of bytes is the order of code points.
  const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

  /** The package's default function would let integer-like keys come first and lose `__proto__`; its `walk` does neither. */
  function oracle(value: JsonValue): string {
    let text = '';
    walk(value, (chunk) => (text += chunk), byBytes);
    return text;
  }

  test('agrees with the package canonical-json, whatever the order of keys', () => {
    fc.assert(
      fc.property(canonicalValue, fc.integer(), (value, seed) => {
        const expected = oracle(value);
        expect(canonicalJson(value)).toBe(expected);
        expect(legacyCanonicalJson(value)).toBe(expected);
        expect(canonicalJson(shuffled(value, seed))).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('reading what was written gives the value, and writing it again the same text', () => {
    fc.assert(
      fc.property(canonicalValue, (value) => {
        const text = canonicalJson(value);
        const read = parseJson(Buffer.from(text), { numbers: 'canonical' });
        // toStrictEqual is misled by keys such as `constructor`.
        expect(isDeepStrictEqual(read, value)).toBe(true);
        expect(canonicalJson(read)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  test('code points are ordered as their UTF-8 bytes are', () => {
    fc.assert(
      fc.property(jsonText, jsonText, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(byBytes(a, b)));
      }),
      { numRuns: 3000 },
    );
  });

  test('keys that look like integers are sorted as texts', () => {
    expect(canonicalJson({ '9': 1, '10': 2, a: 3 })).toBe('{"10":2,"9":1,"a":3}');
  });

  test('keys beyond the basic plane come last', () => {
    expect(canonicalJson({ '\u{1f600}': 1, '\uffee': 2 })).toBe('{"\uffee":2,"\u{1f600}":1}');
    expect(canonicalJson([{ a: { '\u{1f600}': 1, '\uffee': 2 } }])).toBe('[{"a":{"\uffee":2,"\u{1f600}":1}}]');
  });

  test('__proto__ and toJSON are keys like others', () => {
    expect(canonicalJson(parseJson('{"toJSON":1,"__proto__":{"a":2}}'))).toBe('{"__proto__":{"a":2},"toJSON":1}');
    expect(canonicalJson(parseJson('{"rawJSON":"1.5"}'))).toBe('{"rawJSON":"1.5"}');
  });

  test('undefined properties are left out, undefined values are refused', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
    expect(canonicalJson({ a: undefined })).toBe('{}');
    const hole: JsonValue[] = [];
    hole.length = 1;
    expect(() => canonicalJson(hole)).toThrow(CanonicalJsonError);
  });

  test.each([1.5, 2 ** 53, -(2 ** 53), Number.NaN, Infinity, -Infinity, -0, 1e21])('refuses %d', (number) => {
    expect(() => canonicalJson(number)).toThrow(CanonicalJsonError);
    expect(() => canonicalJson({ a: [number] })).toThrow(CanonicalJsonError);
  });

  test.each(['\ud800', '\udc00', 'a\udc00b', '\ud800\\ud800', '\udc00\ud800'])(
    'refuses half of a surrogate pair',
    (text) => {
      expect(() => canonicalJson(text)).toThrow(CanonicalJsonError);
      expect(() => canonicalJson({ [text]: 1 })).toThrow(CanonicalJsonError);
      expect(() => canonicalJson({ b: text, a: 1 })).toThrow(CanonicalJsonError);
    },
  );

  test('an error answers a client with 400 M_BAD_JSON', () => {
    expect(new CanonicalJsonError('x')).toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
  });
});

describe('canonical JSON of room versions 1 to 5', () => {
  test.each([
    ['1.0', '1.0'],
    ['324.5', '324.5'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9007199254740992', '-9007199254740992'],
    ['1e3', '1000'],
    ['1E3', '1000'],
    ['-0', '0'],
    ['1.5e-7', '1.5e-7'],
    ['1e400000', undefined],
  ])('%s is sent on as %s', (text, canonical) => {
    const value = parseJson(`{"b":${text},"a":[${text}]}`, { numbers: 'exact' });
    if (canonical === undefined) expect(() => legacyCanonicalJson(value)).toThrow(CanonicalJsonError);
    else expect(legacyCanonicalJson(value)).toBe(`{"a":[${canonical}],"b":${canonical}}`);
    expect(() => canonicalJson(value)).toThrow(CanonicalJsonError);
  });

  test.each([
    [1.5, '1.5'],
    [-0, '0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [-2.5e-300, '-2.5e-300'],
    [1e21, '1e+21'],
    [123456789012345680000, '123456789012345680000'],
  ])('%d is made as %s', (number, canonical) => {
    expect(legacyCanonicalJson([number])).toBe(`[${canonical}]`);
  });

  test.each([Number.NaN, Infinity])('refuses %d', (number) => {
    expect(() => legacyCanonicalJson([number])).toThrow(CanonicalJsonError);
  });

  test('an object in order that holds a raw number is written with its text', () => {
    expect(legacyCanonicalJson(parseJson('{"a":1,"b":1.50}', { numbers: 'exact' }))).toBe('{"a":1,"b":1.50}');
  });
});
