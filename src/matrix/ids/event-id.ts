/** https://spec.matrix.org/v1.19/appendices/#event-ids */
import { fitsIdentifier } from './identifier-size.ts';
import type { EventId } from './ids.ts';
import { isServerName } from './server-name.ts';

/** Whether the value is an event id of some room version: without a domain, or with a valid one. */
export function isEventId(value: unknown): value is EventId {
  if (typeof value !== 'string' || !value.startsWith('$') || value.length < 2 || !fitsIdentifier(value)) return false;
  if (!value.isWellFormed() || value.includes('\0')) return false;
  const colon = value.indexOf(':');
  return colon === -1 || isServerName(value.slice(colon + 1));
}

/** Room versions 1 and 2: `$opaque_id:domain`. https://spec.matrix.org/v1.19/rooms/v1/#event-ids */
export function isEventIdWithDomain(value: unknown): value is EventId {
  return isEventId(value) && value.indexOf(':') > 1;
}

/** The alphabet of event ids of room version 3. https://spec.matrix.org/v1.19/rooms/v3/#event-ids */
export function isBase64EventId(value: unknown): value is EventId {
  return typeof value === 'string' && value.length <= 255 && base64Id.test(value);
}

/** The alphabet of event ids since room version 4. https://spec.matrix.org/v1.19/rooms/v4/#event-ids */
export function isUrlSafeEventId(value: unknown): value is EventId {
  return typeof value === 'string' && value.length <= 255 && urlSafeId.test(value);
}

/**
 * The reference hash, 32 bytes, that an event id of room version 3 or later spells. undefined: the id is no spelling that
 * an encoder would give; another length, or bits left over at the end that are not zero, can belong to no event, and
 * must not be taken for the event whose hash the leading bits are.
 */
export function findReferenceHash(id: EventId): Buffer | undefined {
  return hashId.test(id) ? Buffer.from(id.slice(1), 'base64') : undefined;
}

const base64Id = /^\$[A-Za-z0-9+/]+$/;
const urlSafeId = /^\$[A-Za-z0-9_-]+$/;
const hashId = /^\$(?:[A-Za-z0-9_-]{42}|[A-Za-z0-9+/]{42})[AEIMQUYcgkosw048]$/;
