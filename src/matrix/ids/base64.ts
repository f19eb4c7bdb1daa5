/**
 * Unpadded Base64 as Matrix has it. https://spec.matrix.org/v1.19/appendices/#unpadded-base64
 */

/** Standard alphabet, no padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return withoutPadding(asBuffer(bytes).toString('base64'));
}

/** URL-safe alphabet, no padding. https://spec.matrix.org/v1.19/appendices/#url-safe-unpadded-base64 */
export function encodeBase64Url(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64url');
}

/**
 * The bytes of a text in either alphabet, with or without padding, as the specification recommends when reading.
 * undefined: another character, padding of the wrong length, or a length that no encoding has.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const end = text.indexOf('=');
  const digits = end === -1 ? text.length : end;
  if (digits % 4 === 1 || !base64Text.test(text)) return undefined;
  if (end !== -1 && text.length % 4 !== 0) return undefined;
  return Buffer.from(text, 'base64');
}

const base64Text = /^[A-Za-z0-9+/_-]*={0,2}$/;

function withoutPadding(text: string): string {
  if (!text.endsWith('=')) return text;
  return text.slice(0, text.endsWith('==') ? -2 : -1);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
