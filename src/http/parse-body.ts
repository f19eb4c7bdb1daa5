import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { notJson } from './errors.ts';
import { parseFormText } from './query-string.ts';

/** Throws M_NOT_JSON for what is not JSON, which text that is not UTF-8 is not either. */
export function parseJsonBody(bytes: Buffer, _depthMax: number): JsonValue {
  try {
    return JSON.parse(utf8.decode(bytes)) as JsonValue;
  } catch (error) {
    throw notJson(`The request's body is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A form's fields as an object of strings; of a field that comes twice, the first. Throws M_INVALID_PARAM. */
export function parseFormBody(bytes: Buffer): JsonObject {
  const fields: [string, string][] = [];
  for (const [name, values] of parseFormText(bytes.toString('utf8'), 'The form')) fields.push([name, values[0] ?? '']);
  return Object.fromEntries(fields);
}
