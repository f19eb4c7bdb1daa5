/** Links to users, rooms and events. https://spec.matrix.org/v1.19/appendices/#uris */
import { isEventId } from './event-id.ts';
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from './ids.ts';
import { isRoomAlias, isRoomId } from './room-id.ts';
import { isServerName } from './server-name.ts';
import { isUserId } from './user-id.ts';

export interface MatrixLink {
  readonly id: UserId | RoomId | RoomAlias;
  readonly eventId: EventId | undefined;
  /** Servers to ask, as the link gives them. */
  readonly via: readonly ServerName[];
  /** join: on links to rooms; chat: on links to users. matrix.to links have none. */
  readonly action: 'join' | 'chat' | undefined;
}

/**
 * Reads a `matrix:` URI or a matrix.to link. undefined: it is neither, an identifier in it is not valid, or it asks for
 * two different actions. Unknown query items, servers that are no server names and a fragment are ignored.
 */
export function parseMatrixLink(text: string): MatrixLink | undefined {
  try {
    if (text.startsWith(matrixToPrefix)) return parseMatrixTo(text.slice(matrixToPrefix.length));
    return /^matrix:/i.test(text) ? parseMatrixUri(text.slice('matrix:'.length)) : undefined;
  } catch (error) {
    // decodeURIComponent: a percent sign that encodes nothing.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** https://spec.matrix.org/v1.19/appendices/#matrix-uri-scheme */
export function formatMatrixUri(link: MatrixLink): string {
  const type = link.id.startsWith('@') ? 'u' : link.id.startsWith('#') ? 'r' : 'roomid';
  const event = link.eventId === undefined ? '' : `/e/${encodeSegment(link.eventId.slice(1))}`;
  const query = link.via.map((server) => `via=${encodeSegment(server)}`);
  if (link.action !== undefined) query.push(`action=${link.action}`);
  return `matrix:${type}/${encodeSegment(link.id.slice(1))}${event}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/** https://spec.matrix.org/v1.19/appendices/#matrixto-navigation */
export function formatMatrixTo(link: MatrixLink): string {
  const event = link.eventId === undefined ? '' : `/${encodeSegment(link.eventId)}`;
  const query = link.via.map((server) => `via=${encodeSegment(server)}`).join('&');
  return `${matrixToPrefix}${encodeSegment(link.id)}${event}${query === '' ? '' : `?${query}`}`;
}

const matrixToPrefix = 'https://matrix.to/#/';

function parseMatrixTo(text: string): MatrixLink | undefined {
  const [path, query] = splitOnce(text, '?');
  // Links are often not encoded as they should be, so a slash only ends the room when an event id follows it.
  const [room, event] = splitOnce(path.replace(/\/%24/i, '/$'), '/$');
  const eventId = event === undefined ? undefined : `$${decodeURIComponent(event)}`;
  const link = buildLink(decodeURIComponent(room), eventId, query);
  return link === undefined ? undefined : { ...link, action: undefined };
}

function parseMatrixUri(text: string): MatrixLink | undefined {
  const [path, query] = splitOnce(splitOnce(text, '#')[0], '?');
  const [type, id, eventType, event, ...rest] = path.replace(/^\/\/[^/]*\//, '').split('/');
  const sigil = sigils.get(type ?? '');
  if (sigil === undefined || id === undefined || rest.length > 0) return undefined;
  if (eventType !== undefined && ((eventType !== 'e' && eventType !== 'event') || event === undefined))
    return undefined;
  const eventId = event === undefined ? undefined : `$${decodeURIComponent(event)}`;
  return buildLink(sigil + decodeURIComponent(id), eventId, query);
}

const sigils: ReadonlyMap<string, string> = new Map([
  ['u', '@'],
  ['user', '@'],
  ['r', '#'],
  ['room', '#'],
  ['roomid', '!'],
]);

function buildLink(id: string, eventId: string | undefined, query: string | undefined): MatrixLink | undefined {
  if (eventId !== undefined && !isEventId(eventId)) return undefined;
  const items = new URLSearchParams(query ?? '');
  const actions = new Set(items.getAll('action').filter((action) => action === 'join' || action === 'chat'));
  if (actions.size > 1) return undefined;
  const via = items.getAll('via').filter(isServerName);
  if (isUserId(id)) {
    if (eventId !== undefined) return undefined;
    return { id, eventId, via, action: actions.has('chat') ? 'chat' : undefined };
  }
  if (!isRoomId(id) && !isRoomAlias(id)) return undefined;
  return { id, eventId, via, action: actions.has('join') ? 'join' : undefined };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Percent-encoding that leaves what RFC 3986 allows in a path segment. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|26|2B|2C|3B|3D|3A|40)/g, decodeURIComponent);
}
