/** Arbitrary JSON values for property tests. */
import * as fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/matrix/json/json-value.ts';

const canonicalNumber = fc.oneof(
  fc.maxSafeInteger().map((number) => number + 0),
  fc.constantFrom(0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);

/** Any well-formed text, with what is awkward in JSON more often than chance would have it. */
export const jsonText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'toJSON', 'rawJSON', '', '10', '9', '\\ud800', '"', '\u007f', '\u2028'),
  fc.constantFrom('\uffee', '\ue000', '\u{1f600}', '\u{10000}', 'a\u{1f600}', 'a\uffee'),
);

/** Values that have a canonical form. Keys come in any order. */
export const canonicalValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(jsonText, canonicalNumber, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 5 }),
    objectOf(tie('value')),
  ),
})).value;

export const canonicalObject: fc.Arbitrary<JsonObject> = objectOf(canonicalValue);

/** The same value with the keys of all objects in another order. */
export function shuffled(value: JsonValue, seed: number): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => shuffled(item, seed));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as JsonObject).map(([key, member]) => ({ key, member }));
  entries.sort((a, b) => mix(a.key, seed) - mix(b.key, seed));
  return Object.fromEntries(entries.map(({ key, member }) => [key, shuffled(member ?? null, seed)]));
}

function objectOf(values: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> {
  // Object.fromEntries makes `__proto__` an ordinary property.
  return fc.array(fc.tuple(jsonText, values), { maxLength: 6 }).map((entries) => Object.fromEntries(entries));
}

function mix(text: string, seed: number): number {
  let hash = seed | 0;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash;
}
