import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob } from '../../../src/matrix/glob/glob.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';

interface Case {
  readonly value: string;
  readonly pattern: string;
  readonly word?: boolean;
  readonly matches: boolean;
}

describeShared('the cases of ruma', () => {
  test.each(loadFixture<{ cases: Case[] }>('glob/ruma-word.json').cases)('$pattern in words of $value', (given) => {
    expect(compileGlob(given.pattern).matchesWords(given.value)).toBe(given.matches);
  });
  test.each(loadFixture<{ cases: Case[] }>('glob/ruma-pattern.json').cases)('$pattern, $value, word $word', (given) => {
    const glob = compileGlob(given.pattern.toLowerCase());
    const value = given.value.toLowerCase();
    expect(given.word === true ? glob.matchesWords(value) : glob.matches(value)).toBe(given.matches);
  });
});

/** The specification's sentences as a regular expression: slow on hostile patterns, but plain. */
const escaped = (pattern: string): string =>
  Array.from(pattern, (char) =>
    char === '*' ? '[^]*' : char === '?' ? '[^]' : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  ).join('');
const wordAt = (value: string, index: number): boolean => /[A-Za-z0-9_]/.test(value[index] ?? '');
const isBoundary = (value: string, index: number): boolean => !wordAt(value, index - 1) || !wordAt(value, index);
function matchesWordsNaively(pattern: string, value: string): boolean {
  const whole = new RegExp(`^${escaped(pattern)}$`, 'u');
  for (let start = 0; start <= value.length; start++)
    for (let end = start; end <= value.length; end++)
      if (isBoundary(value, start) && isBoundary(value, end) && whole.test(value.slice(start, end))) return true;
  return false;
}

const letters = (chars: string[], maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...chars), { maxLength }).map((parts) => parts.join(''));
const patterns = letters(['a', 'b', '_', ' ', '-', '*', '?', '😀'], 7);
const values = letters(['a', 'b', '_', ' ', '-', '\n', '😀', 'é'], 9);

describe('against the plain reading', () => {
  test('of whole values', () => {
    fc.assert(
      fc.property(patterns, values, (pattern, value) => {
        expect(compileGlob(pattern).matches(value)).toBe(new RegExp(`^${escaped(pattern)}$`, 'u').test(value));
      }),
      { numRuns: 5000 },
    );
  });
  test('of words', () => {
    fc.assert(
      fc.property(patterns, values, (pattern, value) => {
        fc.pre(pattern !== '');
        expect(compileGlob(pattern).matchesWords(value)).toBe(matchesWordsNaively(pattern, value));
      }),
      { numRuns: 5000 },
    );
  });
});

test('a pattern without wildcards tells its text', () => {
  expect(compileGlob('m.room.message').literal).toBe('m.room.message');
  expect(compileGlob('m.room.*').literal).toBeUndefined();
});

test('a hostile pattern on a long value comes to an end', () => {
  const value = 'a'.repeat(65_000);
  expect(compileGlob(`${'*a'.repeat(200)}*b`).matches(value)).toBe(false);
  expect(compileGlob(`${'a*'.repeat(200)}b`).matchesWords(value)).toBe(false);
});
