import { isJsonObject, type JsonValue } from '../matrix/json/json-value.ts';

/** A text that two JSON values share exactly if they are the same value, whatever the order of their keys. Unlike canonical JSON it takes any number. */
export function stableText(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => stableText(item)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${stableText(value[key])}`).join(',')}}`;
}
