/** Texts of previews. Pure. */
import { limits } from '../../platform/limits.ts';

/** Not longer than a text of a preview may be, and ended where a word ends if one does. */
export function cutOff(text: string): string {
  if (text.length <= limits.previewTextCharactersMax) return text;
  const start = text.slice(0, limits.previewTextCharactersMax - 1);
  const space = start.lastIndexOf(' ');
  return `${(space > start.length / 2 ? start.slice(0, space) : start).toWellFormed()}…`;
}

/** White space counts once. Control characters and those that change the direction of what follows are left out. */
export const oneLine = (text: string): string =>
  text
    .replaceAll(/[^\P{Cc}\s]|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .toWellFormed();
