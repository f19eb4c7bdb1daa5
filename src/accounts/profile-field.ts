/** What may stand in a profile. https://spec.matrix.org/v1.19/client-server-api/#profiles */
import { badJson, invalidParam, MatrixError, missingParam } from '../matrix/errors.ts';
import { isNamespacedId } from '../matrix/ids/opaque-id.ts';
import type { JsonObject, JsonValue } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';

/** Throws 400 M_KEY_TOO_LARGE, or M_INVALID_PARAM for a name outside the grammar. */
export function checkProfileFieldName(name: string): void {
  if (Buffer.byteLength(name) > limits.idBytesMax)
    throw new MatrixError(400, 'M_KEY_TOO_LARGE', `A profile key has at most ${limits.idBytesMax} bytes`);
  if (wellKnownNames.has(name) || (isNamespacedId(name) && name.includes('.'))) return;
  throw invalidParam('Invalid profile key');
}

/**
 * The new value from a request's body; undefined: the field is to go, as clients ask for by an empty display name or avatar.
 * An avatar need not be an mxc URI: some clients put other things there, and whoever shows it must check it anyway.
 * Throws 400 M_MISSING_PARAM, M_BAD_JSON or M_INVALID_PARAM.
 */
export function readProfileValue(name: string, body: JsonObject): JsonValue | undefined {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (value === undefined) throw missingParam(`${name} is missing`);
  if (!wellKnownNames.has(name)) return value;
  if (value === null || value === '') return undefined;
  if (typeof value !== 'string') throw badJson(`${name} must be a string`);
  const bytesMax = bytesMaxOf[name];
  if (bytesMax !== undefined && Buffer.byteLength(value) > bytesMax)
    throw invalidParam(`${name} must be at most ${bytesMax} bytes long`);
  return value;
}

/** Throws 400 M_PROFILE_TOO_LARGE. */
export function checkProfileSize(profile: JsonObject): void {
  if (Buffer.byteLength(JSON.stringify(profile)) > limits.profileBytesMax)
    throw new MatrixError(400, 'M_PROFILE_TOO_LARGE', `A profile has at most ${limits.profileBytesMax} bytes`);
}

/** Those that stand in membership events. */
export const memberProfileNames = ['displayname', 'avatar_url'] as const;

const wellKnownNames: ReadonlySet<string> = new Set([...memberProfileNames, 'm.tz']);
const bytesMaxOf: Readonly<Record<string, number>> = {
  displayname: limits.displayNameBytesMax,
  avatar_url: limits.avatarUrlBytesMax,
};
