/** Which types files have, and which of them browsers may show. Pure. */

/** A media type as it is kept and answered: what a client gave, if it is one. undefined: it is none, or too long. */
export function normalContentType(given: string): string | undefined {
  const text = given.trim();
  return text.length <= typeLengthMax && mediaType.test(text) ? text : undefined;
}

/** The type without its parameters, in small letters. */
export const essenceOf = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();

/** https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content */
export const isShownInline = (contentType: string): boolean => inlineTypes.has(essenceOf(contentType));

export const unknownContentType = 'application/octet-stream';

const typeLengthMax = 255;
/** RFC 9110, 8.3.1. */
const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t \\x21-\\x7e])*"';
const mediaType = new RegExp(`^${token}/${token}(?:[ \\t]*;[ \\t]*(?:${token}=(?:${token}|${quoted}))?)*$`);

const inlineTypes: ReadonlySet<string> = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
]);
