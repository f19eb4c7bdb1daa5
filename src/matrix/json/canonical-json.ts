/** https://spec.matrix.org/v1.19/appendices/#canonical-json */
import { MatrixError } from '../errors.ts';
import type { JsonObject, JsonValue } from './json-value.ts';
import { isRawNumber } from './raw-number.ts';

/** The value has no canonical form. As an answer to a client it is 400 M_BAD_JSON. */
export class CanonicalJsonError extends MatrixError {
  constructor(message: string) {
    super(400, 'M_BAD_JSON', message);
  }
}

/**
 * The shortest JSON text with keys in the order of their code points. Properties that are undefined are left out, as
 * JSON.stringify does. Throws CanonicalJsonError for numbers that are not integers within ±(2^53−1), for -0, for half of
 * a surrogate pair, and for undefined in an array or instead of a value.
 */
export function canonicalJson(value: JsonValue): string {
  return writeFast(value) ?? write(value, canonicalNumber);
}

/**
 * Canonical JSON for room versions 1 to 5 and for what is signed besides events, where numbers outside the rules occur.
 * They are written as they were sent (RawNumber) or, when they were made here, as other servers write them: -0 as 0, an
 * integer with an exponent in plain digits, fractions with the fewest digits. Throws CanonicalJsonError otherwise.
 * https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export function legacyCanonicalJson(value: JsonValue): string {
  return writeFast(value) ?? write(value, legacyNumber);
}

/** The one that a room version asks for. */
export function canonicalJsonOf(rules: { readonly strictCanonicalJson: boolean }): (value: JsonValue) => string {
  return rules.strictCanonicalJson ? canonicalJson : legacyCanonicalJson;
}

/** Orders by code point; JavaScript's own order, by UTF-16 unit, puts U+10000 and above before U+E000. */
export function compareCodePoints(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return one.length - other.length;
}

type WriteNumber = (value: JsonValue) => string;

const surrogates = /[\ud800-\udfff]/;
const beyondSurrogates = /[\ud800-\uffff]/;
const needsNoEscape = /^[ !#-[\]-~]*$/;

/** JSON.stringify for what is in canonical order and has only canonical numbers; undefined: something is not so. */
function writeFast(value: JsonValue): string | undefined {
  // Other values are written as fast the long way.
  if (typeof value !== 'object' || value === null || !isInOrder(value)) return undefined;
  const text = JSON.stringify(value);
  // JSON.stringify escapes half of a surrogate pair. An escaped backslash before `ud` only looks like it.
  if (text.includes('\\ud')) return undefined;
  return surrogates.test(text) && hasKeyBeyondSurrogates(value) ? undefined : text;
}

/** Whether keys are in UTF-16 order and numbers are canonical throughout. */
function isInOrder(value: JsonValue | undefined): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isInOrder(value[index])) return false;
    return true;
  }
  return isObjectInOrder(value as JsonObject);
}

function isObjectInOrder(object: JsonObject): boolean {
  let previous: string | undefined;
  for (const key in object) {
    if (previous !== undefined && !(previous < key)) return false;
    if (!isInOrder(object[key]) || (key === 'rawJSON' && isRawNumber(object))) return false;
    previous = key;
  }
  return true;
}

function hasKeyBeyondSurrogates(value: JsonValue | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasKeyBeyondSurrogates);
  const object = value as JsonObject;
  for (const key in object) {
    if (beyondSurrogates.test(key) || hasKeyBeyondSurrogates(object[key])) return true;
  }
  return false;
}

function write(value: JsonValue | undefined, writeNumber: WriteNumber): string {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number' || isRawNumber(value)) return writeNumber(value);
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value !== 'object') throw new CanonicalJsonError(`${typeof value} is no JSON value.`);
  if (Array.isArray(value)) return writeArray(value, writeNumber);
  return writeObject(value as JsonObject, writeNumber);
}

function writeArray(array: readonly JsonValue[], writeNumber: WriteNumber): string {
  let text = '[';
  for (let index = 0; index < array.length; index++) {
    if (index > 0) text += ',';
    text += write(array[index], writeNumber);
  }
  return `${text}]`;
}

function writeObject(object: JsonObject, writeNumber: WriteNumber): string {
  let text = '{';
  for (const key of sortedKeys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${writeString(key)}:${write(value, writeNumber)}`;
  }
  return `${text}}`;
}

/** The keys of the object by code point. */
export function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  if (keys.length > 32) keys.sort();
  else insertionSort(keys);
  return keys.some((key) => beyondSurrogates.test(key)) ? keys.sort(compareCodePoints) : keys;
}

/** By UTF-16 unit. The fastest for a few keys that are nearly in order, as they mostly are. */
function insertionSort(keys: string[]): void {
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] as string;
    let at = index;
    for (; at > 0 && (keys[at - 1] as string) > key; at--) keys[at] = keys[at - 1] as string;
    keys[at] = key;
  }
}

/** The text in quotation marks, escaped where JSON must; throws CanonicalJsonError for half of a surrogate pair. */
export function writeString(text: string): string {
  if (needsNoEscape.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new CanonicalJsonError('A string holds half of a surrogate pair.');
  return JSON.stringify(text);
}

function canonicalNumber(value: JsonValue): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  throw new CanonicalJsonError(
    'A number is not an integer from -9007199254740991 to 9007199254740991 in plain digits.',
  );
}

function legacyNumber(value: JsonValue): string {
  if (isRawNumber(value)) return legacyRawNumber(value.rawJSON);
  const number = Number(value);
  if (!Number.isFinite(number)) throw new CanonicalJsonError('A number is out of range.');
  if (number === 0) return '0';
  // JavaScript writes 0.00001 and 1e-7 where most other servers write 1e-05 and 1e-07.
  return Math.abs(number) < 1e-4 ? number.toExponential().replace(/e-(\d)$/, 'e-0$1') : String(number);
}

function legacyRawNumber(text: string): string {
  const number = Number(text);
  if (!Number.isFinite(number)) throw new CanonicalJsonError('A number is out of range.');
  const isRewritten = text === '-0' || (/[eE]/.test(text) && Number.isSafeInteger(number));
  return isRewritten ? String(number) : text;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
