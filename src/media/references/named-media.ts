/** Which files an event names. Pure. */
import { type MxcUri, parseMxcUri } from '../../matrix/ids/mxc-uri.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';

/**
 * The mxc URIs that stand anywhere in a content, each once, at most `limits.mediaReferencesMax`: where the specification has them, in
 * HTML, and wherever a later one will have them.
 */
export function mediaNamedIn(content: JsonObject): MxcUri[] {
  const found = new Map<string, MxcUri>();
  everyText(content, (text) => {
    for (const [uri] of text.matchAll(mxcUris)) {
      const parsed = found.has(uri) ? undefined : parseMxcUri(uri);
      if (parsed !== undefined) found.set(uri, parsed);
      if (found.size >= limits.mediaReferencesMax) return false;
    }
    return true;
  });
  return [...found.values()];
}

/** Whether there may be any. Nothing is allocated for what has none. */
export const mayNameMedia = (content: JsonObject): boolean => !everyText(content, () => false);

/** Shows every text that has the beginning of an mxc URI, until `show` says false; whether it never did. */
function everyText(value: JsonValue | undefined, show: (text: string) => boolean): boolean {
  if (typeof value === 'string') return !value.includes(scheme) || show(value);
  if (isJsonObject(value)) for (const key in value) if (!everyText(value[key], show)) return false;
  return !Array.isArray(value) || value.every((item: JsonValue) => everyText(item, show));
}

const scheme = 'mxc://';
const mxcUris = /mxc:\/\/[A-Za-z0-9.:[\]-]{1,255}\/[A-Za-z0-9_-]{1,255}(?![A-Za-z0-9_-])/g;
