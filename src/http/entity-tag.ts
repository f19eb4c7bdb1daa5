/** Conditions of requests on entity tags. https://www.rfc-editor.org/rfc/rfc9110#section-13 */

/** Whether an If-None-Match header names the tag, by the weak comparison. `tag` with its quotes. */
export function isNamedIn(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return [...header.matchAll(entityTag)].some(([, opaque]) => opaque === tag);
}

/** Whether an If-Range header lets a range be answered; a date never does, for contents have no other identity than their tag. */
export const isRangeAllowed = (header: string | undefined, tag: string): boolean =>
  header === undefined || header.trim() === tag;

const entityTag = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;
