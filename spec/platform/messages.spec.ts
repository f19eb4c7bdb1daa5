import { describe, expect, it } from 'vitest';
import { catalogues, pickLanguage, translator } from '../../src/platform/messages/catalogue.ts';

const blanksOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).toSorted();

describe('the message catalogue', () => {
  it.each(Object.entries(catalogues))(
    'has in %s every key, with the same blanks, and nothing else',
    (_language, catalogue) => {
      expect(Object.keys(catalogue).toSorted()).toEqual(Object.keys(catalogues.en).toSorted());
      const english: Record<string, string> = catalogues.en;
      for (const [key, text] of Object.entries(catalogue)) {
        expect(text.trim(), key).not.toBe('');
        expect(blanksOf(text), key).toEqual(blanksOf(english[key] ?? ''));
      }
    },
  );

  it('has Russian in Russian, but for the link to the other language', () => {
    const words = (text: string): string => text.replaceAll(/\{\w+\}/g, '');
    const foreign = Object.entries(catalogues.ru).filter(
      ([, text]) => /\p{L}/u.test(words(text)) && !/[а-яё]/i.test(words(text)),
    );
    expect(foreign.filter(([key]) => !key.endsWith('.otherLanguage'))).toEqual([]);
  });

  it('fills the blanks', () => {
    expect(translator('en')('startPage.title', { serverName: 'a $& {b}' })).toBe('a $& {b}: Matrix server');
    expect(translator('ru')('startPage.running')).toBe('Сервер работает.');
  });
});

describe('pickLanguage', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['ru', 'ru'],
    ['ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7', 'ru'],
    ['RU', 'ru'],
    ['en-GB,ru;q=0.9', 'en'],
    ['ru;q=0.5, en;q=0.6', 'en'],
    ['de-DE,fr;q=0.8,ru;q=0.2', 'ru'],
    ['de', 'en'],
    ['ru;q=0', 'en'],
    ['*', 'en'],
    ['constructor, __proto__', 'en'],
    [';;;q=,ru;q=2', 'en'],
    [`${'x,'.repeat(2_000)}ru`, 'en'],
  ])('%j: %s', (header, language) => {
    expect(pickLanguage(header)).toBe(language);
  });
});
