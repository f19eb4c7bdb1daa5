/** The filter of /sync. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter */
import { badJson } from '../errors.ts';
import { isRoomId } from '../ids/room-id.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import {
  entry,
  type EventFilter,
  filterObject,
  find,
  findBoolean,
  findTexts,
  parseEventFilter,
  parseRoomEventFilter,
  type RoomEventFilter,
} from './event-filter.ts';

export interface SyncFilter {
  /** Dot-separated paths of the fields to include; absent: all. */
  readonly eventFields?: readonly string[];
  readonly eventFormat: 'client' | 'federation';
  readonly presence: EventFilter;
  readonly accountData: EventFilter;
  readonly room: SyncRoomFilter;
}

export interface SyncRoomFilter {
  readonly rooms?: readonly string[];
  readonly notRooms?: readonly string[];
  readonly includeLeave: boolean;
  readonly state: RoomEventFilter;
  readonly timeline: RoomEventFilter;
  readonly ephemeral: RoomEventFilter;
  readonly accountData: RoomEventFilter;
}

/**
 * Reads a filter as a client defines it. Unknown keys are ignored; null counts as absent.
 * Throws 400 M_BAD_JSON for a field of the wrong type or an entry that is no id of its kind.
 */
export function parseSyncFilter(value: JsonValue): SyncFilter {
  const object = filterObject(value, 'filter');
  return {
    ...entry('eventFields', findTexts(object, 'event_fields', 'filter')),
    eventFormat: eventFormat(object),
    presence: parseEventFilter(find(object, 'presence') ?? {}, 'filter.presence'),
    accountData: parseEventFilter(find(object, 'account_data') ?? {}, 'filter.account_data'),
    room: parseRoomFilter(filterObject(find(object, 'room') ?? {}, 'filter.room')),
  };
}

function eventFormat(object: JsonObject): SyncFilter['eventFormat'] {
  const format = find(object, 'event_format') ?? 'client';
  if (format !== 'client' && format !== 'federation') throw badJson('filter.event_format must be client or federation');
  return format;
}

function parseRoomFilter(object: JsonObject): SyncRoomFilter {
  const part = (name: string): RoomEventFilter => parseRoomEventFilter(find(object, name) ?? {}, `filter.room.${name}`);
  return {
    ...entry('rooms', findTexts(object, 'rooms', 'filter.room', isRoomId)),
    ...entry('notRooms', findTexts(object, 'not_rooms', 'filter.room', isRoomId)),
    includeLeave: findBoolean(object, 'include_leave', 'filter.room') ?? false,
    state: part('state'),
    timeline: part('timeline'),
    ephemeral: part('ephemeral'),
    accountData: part('account_data'),
  };
}
