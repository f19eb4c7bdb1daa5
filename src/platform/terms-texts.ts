import { readFileSync } from 'node:fs';
import type { Config } from './config/config.ts';

export interface TermsText {
  readonly document: string;
  readonly version: string;
  readonly language: string;
  readonly name: string;
  readonly text: string;
}

/** The documents that this server shows itself. Reads their files. */
export function readTermsTexts({ registration }: Pick<Config, 'registration'>): readonly TermsText[] {
  return registration.terms.flatMap(({ id: document, version, languages }) =>
    Object.entries(languages).flatMap(([language, { name, file }]) =>
      file === undefined ? [] : [{ document, version, language, name, text: readFileSync(file, 'utf8') }],
    ),
  );
}
