import { badJson, MatrixError } from '../errors.ts';
import type { JsonObject, JsonValue } from './json-value.ts';
import { rawNumber } from './raw-number.ts';

/**
 * What becomes of numbers that canonical JSON does not know: 1.0, 1.5, 1e3, -0, integers beyond ±(2^53−1).
 * any: they become JavaScript numbers, as far as these reach; for bodies that are not hashed.
 * canonical: they are refused.
 * exact: they keep their text (RawNumber); for bodies with events of several room versions, whose rules then decide.
 */
export type NumberPolicy = 'any' | 'canonical' | 'exact';

export interface JsonLimits {
  /** How deep objects and arrays may be nested. */
  readonly depthMax?: number;
  readonly numbers?: NumberPolicy;
}

/**
 * Low enough that what a client nests can still be read by servers that stop at a depth of 128, as some JSON libraries
 * do, when it stands in an event in a transaction.
 */
export const clientJsonDepthMax = 100;
/** Nobody nests so deep; code that walks values recursively has room for it. */
export const federationJsonDepthMax = 500;

/**
 * Reads JSON strictly: one value, valid UTF-8, no key twice in an object, no half of a surrogate pair, no number beyond
 * the range of a double. Keys such as `__proto__` are data like any other. Throws MatrixError 400: M_NOT_JSON when the text is not JSON, M_BAD_JSON
 * when it is and breaks one of these rules.
 *
 * JSON.parse does the reading. A scan before it finds the depth and the numbers and counts members; fewer of them in the
 * result means that a key was there twice.
 */
export function parseJson(input: string | Uint8Array, limits: JsonLimits = {}): JsonValue {
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  if (typeof input === 'string' && !input.isWellFormed()) throw badJson('A string holds half of a surrogate pair.');
  const numbers = limits.numbers ?? 'any';
  const shape = scan(typeof input === 'string' ? Buffer.from(input) : input, limits.depthMax ?? clientJsonDepthMax);
  const value = parse(text);
  if (countMembers(value) !== shape.members) throw badJson('An object has the same key twice.');
  if (!shape.hasOddNumber || (numbers === 'any' && !shape.hasHugeNumber)) return value;
  if (numbers === 'exact') return parseExact(text);
  throw badJson(
    numbers === 'any'
      ? 'A number is out of range.'
      : 'A number is not an integer from -9007199254740991 to 9007199254740991 in plain digits.',
  );
}

/** Whether the text is how canonical JSON writes an integer. */
export function isCanonicalInteger(text: string): boolean {
  return plainInteger.test(text) && Number.isSafeInteger(Number(text));
}

const plainInteger = /^(?:0|-?[1-9][0-9]*)$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const minus = 0x2d;

interface Shape {
  /** Colons outside strings: in JSON, the members of all objects together. */
  members: number;
  /** A number that canonical JSON would not write so. */
  hasOddNumber: boolean;
  /** A number beyond the range of a double. */
  hasHugeNumber: boolean;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw notJson('The body is not valid UTF-8.');
    throw error;
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message of JSON.parse quotes the body, so it is not passed on.
    if (error instanceof SyntaxError) throw notJson('The body is not JSON.');
    throw error;
  }
}

function parseExact(text: string): JsonValue {
  return JSON.parse(text, (_key, value: JsonValue, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    return isCanonicalInteger(context.source) ? value : rawNumber(context.source);
  });
}

/** One pass over the bytes. What is not JSON may give any shape: JSON.parse refuses it afterwards. */
function scan(bytes: Uint8Array, depthMax: number): Shape {
  let hasOddNumber = false;
  let hasHugeNumber = false;
  const length = bytes.length;
  let members = 0;
  let depth = 0;
  let at = 0;
  while (at < length) {
    const byte = bytes[at++] as number;
    if (byte === quote) {
      while (at < length) {
        const inside = bytes[at++] as number;
        if (inside === quote) break;
        if (inside === backslash) at = skipEscape(bytes, at);
      }
    } else if (byte === colon) {
      members++;
    } else if (isDigit(byte) || byte === minus) {
      const start = at - 1;
      const end = endOfNumber(bytes, at);
      // Up to 15 digits are always in range; a minus before a zero is not canonical.
      if (end < 0 || end - start > 15 || (byte === minus && bytes[at] === 0x30)) {
        const text = latin1(bytes, start, Math.abs(end));
        hasOddNumber ||= !isCanonicalInteger(text);
        hasHugeNumber ||= !Number.isFinite(Number(text));
      }
      at = Math.abs(end);
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > depthMax) throw badJson(`Objects and arrays are nested more than ${depthMax} deep.`);
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    }
  }
  return { members, hasOddNumber, hasHugeNumber };
}

/** Where the number ends whose second byte is at `at`; negative: it has a fraction or an exponent. */
function endOfNumber(bytes: Uint8Array, at: number): number {
  let isInteger = true;
  let end = at;
  for (; end < bytes.length; end++) {
    const byte = bytes[end] as number;
    if (isDigit(byte)) continue;
    // . e E + -
    if (byte !== 0x2e && byte !== 0x65 && byte !== 0x45 && byte !== 0x2b && byte !== minus) break;
    isInteger = false;
  }
  return isInteger ? end : -end;
}

/** Where the string goes on after an escape whose second byte is at `at`. Refuses half of a surrogate pair. */
function skipEscape(bytes: Uint8Array, at: number): number {
  if (surrogateAt(bytes, at) === 'none') return at + 1;
  const isPair =
    surrogateAt(bytes, at) === 'high' && bytes[at + 5] === backslash && surrogateAt(bytes, at + 6) === 'low';
  if (!isPair) throw badJson('A string holds half of a surrogate pair.');
  return at + 11;
}

/** What `uXXXX` at this place stands for. */
function surrogateAt(bytes: Uint8Array, at: number): 'none' | 'high' | 'low' {
  // u, then d or D, then 8 to b: the first half; c to f: the second.
  if (bytes[at] !== 0x75 || ((bytes[at + 1] ?? 0) | 0x20) !== 0x64) return 'none';
  const digit = (bytes[at + 2] ?? 0) | 0x20;
  if (digit === 0x38 || digit === 0x39 || digit === 0x61 || digit === 0x62) return 'high';
  return digit >= 0x63 && digit <= 0x66 ? 'low' : 'none';
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** How many members all objects in the value have together. */
function countMembers(value: JsonValue | undefined): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return countInArray(value);
  return countInObject(value as JsonObject);
}

function countInArray(array: readonly JsonValue[]): number {
  let count = 0;
  for (let index = 0; index < array.length; index++) count += countMembers(array[index]);
  return count;
}

function countInObject(object: JsonObject): number {
  let count = 0;
  for (const key in object) {
    count++;
    const value = object[key];
    if (typeof value === 'object' && value !== null) count += countMembers(value);
  }
  return count;
}

function notJson(message: string): MatrixError {
  return new MatrixError(400, 'M_NOT_JSON', message);
}
