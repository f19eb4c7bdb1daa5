import { badJson, tooLarge } from '../matrix/errors.ts';
import { canonicalJson, CanonicalJsonError } from '../matrix/json/canonical-json.ts';
import type { JsonValue } from '../matrix/json/json-value.ts';

/**
 * A key as it is stored: canonical JSON, so that equal keys have equal texts, without `unsigned`, which is the server's to
 * say. Throws 413 M_TOO_LARGE, and 400 M_BAD_JSON for numbers that nothing signed can have.
 */
export function storedText(key: JsonValue, bytesMax: number, what: string): string {
  try {
    const text = canonicalJson(withoutUnsigned(key));
    if (Buffer.byteLength(text) > bytesMax) throw tooLarge(`${what} must be at most ${bytesMax} bytes long`);
    return text;
  } catch (error) {
    throw error instanceof CanonicalJsonError ? badJson(`${what} has no canonical form: ${error.message}`) : error;
  }
}

function withoutUnsigned(key: JsonValue): JsonValue {
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return key;
  const { unsigned: _unsigned, ...signed } = key as Readonly<Record<string, JsonValue>>;
  return signed;
}
