import type { JsonObject, JsonValue } from './json-value.ts';

/**
 * A number kept by its text, because as a JavaScript number it would be another one or be written differently: 1.0, 1e3,
 * -0, integers beyond ±(2^53−1). JSON.stringify writes the text. It exists so that events of room versions 1 to 5, in
 * which such numbers are allowed, keep their hashes. Only `parseJson` with `numbers: 'exact'` makes them; they do not
 * survive structured cloning, so threads hand each other text.
 * https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export interface RawNumber extends JsonObject {
  readonly rawJSON: string;
}

declare global {
  /** https://tc39.es/proposal-json-parse-with-source/ */
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

export function rawNumber(text: string): RawNumber {
  return JSON.rawJSON(text);
}

export function isRawNumber(value: unknown): value is RawNumber {
  return JSON.isRawJSON(value);
}

/** The number that the value stands for, rounded to a double; undefined: it is no number. */
export function numericValue(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return isRawNumber(value) ? Number(value.rawJSON) : undefined;
}
