/** https://spec.matrix.org/v1.19/appendices/#user-identifiers */
import { fitsIdentifier } from './identifier-size.ts';
import type { ServerName, UserId } from './ids.ts';
import { isServerName } from './server-name.ts';

/**
 * Whether the value is a user id that must be accepted in events: the historical grammar, where a localpart is any text
 * without `:` and NUL, the empty one included. https://spec.matrix.org/v1.19/appendices/#historical-user-ids
 */
export function isUserId(value: unknown): value is UserId {
  if (typeof value !== 'string' || !value.startsWith('@') || !fitsIdentifier(value)) return false;
  const colon = value.indexOf(':');
  if (colon === -1 || !isServerName(value.slice(colon + 1))) return false;
  return printable.test(value) || (value.isWellFormed() && !value.includes('\0'));
}

/**
 * Whether the localpart is not empty and within U+0021 to U+007E. Ids that are not so may stand in events, but are kept
 * from clients elsewhere, for example in device list updates.
 */
export function isCompliantUserId(value: unknown): value is UserId {
  return isUserId(value) && value.indexOf(':') > 1 && printable.test(value);
}

/** Whether the value keeps the grammar for user ids that are made today. */
export function isStrictUserId(value: unknown): value is UserId {
  return isUserId(value) && isStrictLocalpart(localpartOf(value));
}

/** `a-z`, `0-9`, `.`, `_`, `=`, `-`, `/` and `+`; not empty. */
export function isStrictLocalpart(localpart: string): boolean {
  return strictLocalpart.test(localpart);
}

/** The id of a new local user. undefined: the grammar or the 255 bytes forbid it. */
export function newUserId(localpart: string, server: ServerName): UserId | undefined {
  const id = `@${localpart}:${server}`;
  return isStrictUserId(id) && localpartOf(id) === localpart ? id : undefined;
}

/** What stands between the sigil and the first colon. */
export function localpartOf(id: UserId): string {
  return id.slice(1, id.indexOf(':'));
}

/** What follows the first colon. */
export function serverNameOf(id: UserId): ServerName {
  return id.slice(id.indexOf(':') + 1) as ServerName;
}

const printable = /^[!-~]*$/;
const strictLocalpart = /^[a-z0-9._=/+-]+$/;
