import type { JsonObject } from '../matrix/json/json-value.ts';
import { parseFormText } from './query-string.ts';

/** A form's fields as an object of strings; of a field that comes twice, the first. Throws M_INVALID_PARAM. */
export function parseFormBody(bytes: Buffer): JsonObject {
  const fields: [string, string][] = [];
  for (const [name, values] of parseFormText(bytes.toString('utf8'), 'The form')) fields.push([name, values[0] ?? '']);
  return Object.fromEntries(fields);
}
