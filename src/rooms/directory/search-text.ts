/** What a search in the directory looks at. */
import type { RoomSummary } from './room-summary.ts';

/** Of each field; names and topics can have 64 KiB. */
const fieldCharsMax = 1_000;

/** Name, topic and alias, in the form in which they are compared. */
export function searchTextOf({ name, topic, canonical_alias: alias }: RoomSummary): string {
  return [name, topic, alias].flatMap((field) => (field === undefined ? [] : fold(field))).join('\n');
}

/** undefined: a term that leaves nothing out. */
export function searchTermOf(text: string | undefined): string | undefined {
  const term = text === undefined ? '' : fold(text.trim());
  return term === '' ? undefined : term;
}

/** Without case, and however its letters are composed. */
const fold = (text: string): string => text.slice(0, fieldCharsMax).normalize('NFKC').toLowerCase();
