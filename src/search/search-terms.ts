/** What is searched for, in the query languages of both engines. Pure. */
import { foldText, isUnsegmented, wordsOf } from '../matrix/text/words.ts';
import { limits } from '../platform/limits.ts';
import { roomWord } from './indexed-event.ts';

/** Words that an event must have, all of them; longer ones need only begin a word of it, since nothing here knows grammars. */
export interface SearchTerms {
  readonly words: readonly { readonly word: string; readonly isPrefix: boolean }[];
}

/** Shorter words begin too many others. */
const prefixCharsMin = 3;

export function searchTermsOf(text: string): SearchTerms {
  const words = [...new Set(wordsOf(text))].slice(0, limits.searchWordsMax);
  return {
    words: words.map((word) => ({ word, isPrefix: word.length >= prefixCharsMin || isUnsegmented(word) })),
  };
}

/** `rooms`: only entries of these few; undefined: of all. */
export function matchText(
  engine: 'sqlite' | 'postgres',
  { words }: SearchTerms,
  rooms: readonly number[] | undefined,
): string {
  const isSqlite = engine === 'sqlite';
  const quoted = (word: string): string => (isSqlite ? `"${word}"` : `'${word}'`);
  const all = words.map(({ word, isPrefix }) => quoted(word) + (isPrefix ? (isSqlite ? '*' : ':*') : ''));
  if (rooms !== undefined) all.push(`(${rooms.map((room) => quoted(roomWord(room))).join(isSqlite ? ' OR ' : ' | ')})`);
  return all.join(isSqlite ? ' AND ' : ' & ');
}

/** The words of a text that were searched for, as they stand there, in lower case. */
export function highlightsIn(text: string, { words }: SearchTerms): readonly string[] {
  const runs = text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return runs.filter((run) => wordsOf(run).some((own) => words.some((one) => fits(own, one)))).map(lowered);
}

const fits = (own: string, { word, isPrefix }: SearchTerms['words'][number]): boolean =>
  isPrefix ? own.startsWith(word) : own === word;

/** Of what is written without spaces only the part that was searched for. */
const lowered = (run: string): string => (isUnsegmented(foldText(run)) ? run : run.toLowerCase());
