/** https://spec.matrix.org/v1.19/client-server-api/#redactions */
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import type { ContentPath, RoomVersionRules } from '../room-versions/rules.ts';

/**
 * The event without what the redaction algorithm of its room version takes away, `unsigned` included. It is the form
 * whose hash is the event id and which is signed, so it does not depend on anything but the event. Properties keep their
 * order; content that is missing or no object becomes `{}`.
 */
export function redact(pdu: JsonObject, rules: RoomVersionRules): JsonObject {
  const redacted: Record<string, JsonValue | undefined> = {};
  for (const key in pdu) if (survivesRedaction(key, rules)) redacted[key] = pdu[key];
  redacted['content'] = redactContent(pdu['type'], pdu['content'], rules);
  return redacted;
}

/** Whether this property of the event is kept; `content` is, though not all that is in it. */
export function survivesRedaction(key: string, rules: RoomVersionRules): boolean {
  return rules.redaction.eventKeys.includes(key);
}

export function redactContent(
  type: JsonValue | undefined,
  content: JsonValue | undefined,
  rules: RoomVersionRules,
): JsonObject {
  const { contentKeys } = rules.redaction;
  if (!isJsonObject(content) || typeof type !== 'string' || !Object.hasOwn(contentKeys, type)) return {};
  const kept = contentKeys[type] ?? [];
  if (kept === 'all') return content;
  const redacted: Record<string, JsonValue | undefined> = {};
  for (const path of kept) copyPath(content, redacted, path);
  return redacted;
}

/**
 * An object on the way is kept even when it lacks the last property: `third_party_invite` without `signed` becomes `{}`.
 * The specification is silent there; most servers do so, and another form would give the event another id.
 */
function copyPath(from: JsonObject, to: Record<string, JsonValue | undefined>, [key, ...rest]: ContentPath): void {
  const value = from[key];
  if (!Object.hasOwn(from, key) || value === undefined) return;
  const [next, ...further] = rest;
  if (next === undefined) {
    to[key] = value;
  } else if (isJsonObject(value)) {
    const inner: Record<string, JsonValue | undefined> = {};
    copyPath(value, inner, [next, ...further]);
    to[key] = inner;
  }
}
