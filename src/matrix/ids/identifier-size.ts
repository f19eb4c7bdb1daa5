/** The longest user id, room id, room alias, event id, event type and state key. https://spec.matrix.org/v1.19/client-server-api/#size-limits */
export const identifierBytesMax = 255;

/** Whether the text has at most 255 code points, as was the limit of some fields before room version 11. */
export function fitsIdentifierInCodePoints(text: string): boolean {
  if (text.length <= identifierBytesMax) return true;
  return text.length <= 2 * identifierBytesMax && Array.from(text).length <= identifierBytesMax;
}

/** Whether the text takes at most 255 bytes in UTF-8. */
export function fitsIdentifier(text: string): boolean {
  if (text.length > identifierBytesMax) return false;
  // A UTF-16 unit takes at most three bytes of UTF-8.
  return text.length * 3 <= identifierBytesMax || Buffer.byteLength(text) <= identifierBytesMax;
}
