import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';

/**
 * The property names of a dot-separated path: `content.m\.relates_to.rel_type` is content, m.relates_to, rel_type. Only `\.`
 * and `\\` are escapes; any other backslash stands for itself.
 * https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths
 */
export function parsePropertyPath(text: string): readonly string[] {
  const names = [''];
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    const next = text[i + 1];
    if (char === '.') names.push('');
    else if (char === '\\' && (next === '.' || next === '\\')) {
      names[names.length - 1] += next;
      i++;
    } else names[names.length - 1] += char;
  }
  return names;
}

/** The value at the end of the path, undefined where there is none. Paths do not lead into arrays. */
export function propertyAt(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
