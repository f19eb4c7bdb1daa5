/**
 * What pages say to people, in their language. English has the keys and is what everyone gets who asks for no language that is here; another language
 * is one more file and one more line in `catalogues`.
 */
import { english } from './english.ts';
import type { Catalogue, MessageKey } from './message-key.ts';
import { russian } from './russian.ts';

export const catalogues = { en: english, ru: russian } satisfies Record<string, Catalogue>;
export type Language = keyof typeof catalogues;

/** The names in braces of a text. */
type Blanks<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Blanks<Rest> : never;
type Fill<K extends MessageKey> = [Blanks<(typeof english)[K]>] extends [never]
  ? []
  : [values: Readonly<Record<Blanks<(typeof english)[K]>, string | number>>];

/** The text of `key`. Values go in as they are: a page escapes the whole. */
export type Translate = <K extends MessageKey>(key: K, ...fill: Fill<K>) => string;

export function translator(language: Language): Translate {
  const catalogue: Catalogue = catalogues[language];
  return (key, ...fill) => {
    const values: Readonly<Record<string, string | number>> = fill[0] ?? {};
    return catalogue[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
  };
}

/**
 * The best of our languages for an Accept-Language header, English if there is none.
 * https://www.rfc-editor.org/rfc/rfc9110#name-accept-language
 */
export function pickLanguage(acceptLanguage: string | undefined): Language {
  let best: Language = 'en';
  let bestWeight = 0;
  for (const part of (acceptLanguage ?? '').slice(0, headerLengthMax).split(',')) {
    const match = /^\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/.exec(part);
    const language = match?.[1]?.toLowerCase();
    const weight = Number(match?.[2] ?? 1);
    if (language === undefined || !isLanguage(language) || weight <= bestWeight) continue;
    [best, bestWeight] = [language, weight];
  }
  return best;
}

/** Our language for a language tag, such as `ru-RU`; undefined: it is not here. */
export function findLanguage(tag: string): Language | undefined {
  const [primary = ''] = tag.slice(0, headerLengthMax).toLowerCase().split(/[-_]/);
  return isLanguage(primary) ? primary : undefined;
}

const headerLengthMax = 1_000;
const isLanguage = (text: string): text is Language => Object.hasOwn(catalogues, text);
