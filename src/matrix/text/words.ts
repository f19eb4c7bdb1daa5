/**
 * Texts as words that can be compared: without case, accents and forms of the same letter, in every alphabet. The same for
 * what is searched and for what is searched for, whatever the database. Pure.
 */

/** Of one word, in code points; longer ones are cut. */
const wordCharsMax = 64;

/** In the order of the text, repeated ones too. */
export function wordsOf(text: string): string[] {
  return simpleText.test(text) ? simpleWordsOf(text) : anyWordsOf(text);
}

/** Of texts in which everything is one sign before and after folding: a twentieth of the cost. */
function simpleWordsOf(text: string): string[] {
  const words = foldSimpleText(text).match(/[a-z0-9\u0430-\u044f]+/g) ?? [];
  for (let i = 0; i < words.length; i++)
    if (words[i]!.length > wordCharsMax) words[i] = words[i]!.slice(0, wordCharsMax);
  return words;
}

/** ASCII, the Russian alphabet, and the quotes and dashes that go with them. */
const simpleText = /^[\0-\x7f\u0401\u0410-\u044f\u0451\u00ab\u00bb\u2013\u2014\u2018-\u201e]*$/;

const foldSimpleText = (text: string): string =>
  text.toLowerCase().replaceAll(/[\u0439\u0451]/g, (letter) => (letter === 'й' ? 'и' : 'е'));

function anyWordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [run] of foldText(text).matchAll(/[\p{L}\p{N}\p{M}]+/gu))
    for (const [part] of run.matchAll(unsegmentedOrNot))
      if (isUnsegmented(part)) words.push(...pairsOf(part));
      else words.push(Array.from(part).slice(0, wordCharsMax).join(''));
  return words;
}

/** Without case and accents: é is e, Й is и, ß is ss. Letters of one alphabet do not become another's. */
export function foldText(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(accents, '')
    .toUpperCase()
    .toLowerCase()
    .replaceAll(/[ςøłđħæœðþ]/g, (letter) => plainLetters[letter] ?? letter)
    .normalize('NFC');
}

/** Marks that letters of several alphabets can have, and the points of Hebrew. Marks of one alphabet are letters there. */
const accents = /\p{Script=Inherited}|[\u0591-\u05c7]/gu;
/** Those that Unicode does not take apart. */
const plainLetters: Readonly<Record<string, string>> = {
  ς: 'σ',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ħ: 'h',
  æ: 'ae',
  œ: 'oe',
  ð: 'd',
  þ: 'th',
};

// Scripts that put no spaces between words.
const unsegmented = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const unsegmentedOrNot = new RegExp(`[${unsegmented}]+|[^${unsegmented}]+`, 'gu');
const firstIsUnsegmented = new RegExp(`^[${unsegmented}]`, 'u');
export const isUnsegmented = (word: string): boolean => firstIsUnsegmented.test(word);

/** Every letter with the next one, and the last one alone: whatever part of the text is asked for begins with some of them. */
function pairsOf(run: string): string[] {
  const letters = Array.from(run);
  return letters.map((letter, index) => letter + (letters[index + 1] ?? ''));
}
