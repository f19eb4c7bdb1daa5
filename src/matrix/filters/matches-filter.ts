/** Whether an event passes a client's filter. https://spec.matrix.org/v1.19/client-server-api/#filtering */
import { relationOf } from '../events/relations.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { EventFilter, RoomEventFilter } from './event-filter.ts';

export interface Filterable {
  readonly type: string;
  readonly sender?: string;
  /** Of state events. */
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
}

/** Types may hold `*` as a wildcard; senders are compared exactly. */
export function matchesEventFilter(filter: EventFilter, event: Filterable): boolean {
  if (filter.notTypes?.some((pattern) => matchesType(pattern, event.type))) return false;
  if (filter.types !== undefined && !filter.types.some((pattern) => matchesType(pattern, event.type))) return false;
  if (event.sender !== undefined && filter.notSenders?.includes(event.sender)) return false;
  return filter.senders === undefined || (event.sender !== undefined && filter.senders.includes(event.sender));
}

/** The rooms of the filter are the caller's business: it knows them before it reads any event. */
export function matchesRoomEventFilter(
  filter: EventFilter & Pick<RoomEventFilter, 'containsUrl' | 'ignoredSenders' | 'relTypes' | 'notRelTypes'>,
  event: Filterable,
): boolean {
  if (filter.containsUrl !== undefined && (typeof event.content['url'] === 'string') !== filter.containsUrl)
    return false;
  if (event.stateKey === undefined && event.sender !== undefined && filter.ignoredSenders?.has(event.sender))
    return false;
  if ((filter.relTypes ?? filter.notRelTypes) !== undefined && !matchesRelation(filter, event)) return false;
  return matchesEventFilter(filter, event);
}

function matchesRelation(
  { relTypes, notRelTypes }: Pick<RoomEventFilter, 'relTypes' | 'notRelTypes'>,
  event: Filterable,
): boolean {
  const relType = relationOf(event)?.relType;
  if (relType === undefined) return relTypes === undefined;
  return notRelTypes?.includes(relType) !== true && relTypes?.includes(relType) !== false;
}

export function includesRoom(filter: Pick<RoomEventFilter, 'rooms' | 'notRooms'>, roomId: string): boolean {
  return filter.notRooms?.includes(roomId) !== true && filter.rooms?.includes(roomId) !== false;
}

/** In linear time, whatever the pattern: the parts between the wildcards are looked for one after another. */
function matchesType(pattern: string, type: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === type;
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (!type.startsWith(first) || !type.endsWith(last) || type.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = type.indexOf(part, at);
    if (found < 0 || found + part.length > type.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
