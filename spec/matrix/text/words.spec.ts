import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { foldText, wordsOf } from '../../../src/matrix/text/words.ts';

test.each<[string, string]>([
  ['Élodie', 'elodie'],
  ['ЁЖИК, йод', 'ежик, иод'],
  ['Ҥ Өзгөн Ңү', 'ҥ өзгөн ңү'],
  ['Straße', 'strasse'],
  ['İstanbul ISPARTA', 'istanbul isparta'],
  ['ΟΔΟΣ Οδός', 'οδοσ οδοσ'],
  ['Ærøskøbing Łódź', 'aeroskobing lodz'],
  ['ﬁne ① Ｗｉｄｅ', 'fine 1 wide'],
  ['שָׁלוֹם', 'שלום'],
  ['مُحَمَّد', 'محمد'],
  ['हिन्दी', 'हिन्दी'],
  ['한국어', '한국어'],
])('%s is compared as %s', (text, folded) => {
  expect(foldText(text)).toBe(folded);
});

describe('words', () => {
  it('are what is between other signs', () => {
    expect(wordsOf('Hello, world! x_y-z @anna.petrova:example.org 3.14')).toEqual(
      'hello world x y z anna petrova example org 3 14'.split(' '),
    );
    expect(wordsOf('')).toEqual([]);
    expect(wordsOf('… — ?')).toEqual([]);
    expect(wordsOf('हिन्दी भाषा')).toEqual(['हिन्दी', 'भाषा']);
  });
  it('are pairs of letters where no spaces are written', () => {
    expect(wordsOf('山田太郎 abc')).toEqual(['山田', '田太', '太郎', '郎', 'abc']);
    expect(wordsOf('山')).toEqual(['山']);
    expect(wordsOf('v2山')).toEqual(['v2', '山']);
  });
  it('are cut when they are very long', () => {
    expect(wordsOf('x'.repeat(1_000))).toEqual(['x'.repeat(64)]);
  });
  it('hold nothing that separates words, and stay as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const words = wordsOf(text);
        expect(words.every((word) => /^[\p{L}\p{N}\p{M}]+$/u.test(word))).toBe(true);
        expect(foldText(foldText(text))).toBe(foldText(text));
      }),
    );
  });
  it('are the same where only common letters are written', () => {
    const letters = fc.constantFrom(...'a Z 0 9 - _ \n \0 « » – — ’ „ Ё ё Й й А я п ъ'.split(' '), ' ');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: letters }), fc.string({ unit: 'binary-ascii' })), (text) => {
        expect([...wordsOf(text), '山']).toEqual(wordsOf(`${text} 山`));
      }),
    );
    expect(wordsOf(`Ёж${'й'.repeat(100)}`)).toEqual([`еж${'и'.repeat(62)}`]);
  });
  it('do not depend on case, nor on how letters are composed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(wordsOf(text.normalize('NFD'))).toEqual(wordsOf(text.normalize('NFC')));
      }),
    );
    const letters = fc.constantFrom(...'a é ß ı İ ş ø ž а ё й ў ң ө ү Қ і ї ґ α ά ς ώ β 한 가 山 -'.split(' '), ' ');
    fc.assert(
      fc.property(fc.string({ unit: letters }), (text) => {
        expect(wordsOf(text.toUpperCase())).toEqual(wordsOf(text));
        expect(wordsOf(text.toLowerCase())).toEqual(wordsOf(text));
      }),
    );
  });
});
