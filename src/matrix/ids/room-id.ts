/** https://spec.matrix.org/v1.19/appendices/#room-ids */
import { fitsIdentifier } from './identifier-size.ts';
import type { EventId, RoomAlias, RoomId, ServerName } from './ids.ts';
import { isServerName } from './server-name.ts';

/** Whether the value can be a room id of some room version: `!` and an opaque text, which may or may not name a server. */
export function isRoomId(value: unknown): value is RoomId {
  return isOpaqueIdentifier(value, '!');
}

/** Whether the value is a room id as room versions 1 to 11 have them: `!opaque_id:domain`. */
export function isRoomIdWithDomain(value: unknown): value is RoomId {
  if (!isRoomId(value)) return false;
  const colon = value.indexOf(':');
  return colon > 1 && isServerName(value.slice(colon + 1));
}

/** Whether the value has the alphabet of a room id of version 12: `!` and URL-safe Base64. */
export function isRoomIdWithoutDomain(value: unknown): value is RoomId {
  return isRoomId(value) && urlSafe.test(value);
}

/** The server that the id names; undefined: it names none, as from room version 12 on. */
export function findServerNameOfRoomId(id: RoomId): ServerName | undefined {
  const colon = id.indexOf(':');
  if (colon === -1) return undefined;
  const server = id.slice(colon + 1);
  return isServerName(server) ? server : undefined;
}

/** The id of a room of version 12 or later, from that of its create event. */
export function roomIdOfCreateEvent(id: EventId): RoomId {
  return `!${id.slice(1)}` as RoomId;
}

/** The id of the create event of a room of version 12 or later. */
export function createEventIdOfRoom(id: RoomId): EventId {
  return `$${id.slice(1)}` as EventId;
}

/** https://spec.matrix.org/v1.19/appendices/#room-aliases */
export function isRoomAlias(value: unknown): value is RoomAlias {
  if (!isOpaqueIdentifier(value, '#')) return false;
  const colon = value.indexOf(':');
  return colon !== -1 && isServerName(value.slice(colon + 1));
}

/** What stands between the sigil and the first colon. */
export function localpartOfAlias(alias: RoomAlias): string {
  return alias.slice(1, alias.indexOf(':'));
}

/** The server that answers for the alias. */
export function serverNameOfAlias(alias: RoomAlias): ServerName {
  return alias.slice(alias.indexOf(':') + 1) as ServerName;
}

const urlSafe = /^![A-Za-z0-9_-]+$/;

function isOpaqueIdentifier(value: unknown, sigil: string): value is string {
  if (typeof value !== 'string' || !value.startsWith(sigil) || value.length < 2 || !fitsIdentifier(value)) return false;
  return value.isWellFormed() && !value.includes('\0');
}
