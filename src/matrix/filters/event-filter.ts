/**
 * Filters that clients hand to /sync, /messages, /context and /search.
 * https://spec.matrix.org/v1.19/client-server-api/#filtering
 */
import { badJson } from '../errors.ts';
import { isRoomId } from '../ids/room-id.ts';
import { isUserId } from '../ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';

/** An absent list includes everything; an empty one nothing. What is in a `not` list is excluded even if it is included too. */
export interface EventFilter {
  readonly limit?: number;
  /** `*` stands for any text. */
  readonly types?: readonly string[];
  readonly notTypes?: readonly string[];
  readonly senders?: readonly string[];
  readonly notSenders?: readonly string[];
}

export interface RoomEventFilter extends EventFilter {
  readonly rooms?: readonly string[];
  readonly notRooms?: readonly string[];
  /** true: only events with a `url` in their content; false: only those without. */
  readonly containsUrl?: boolean;
  /** Only events that one of these users relates to, and only by one of these types of relation (/messages and /context). */
  readonly relatedBySenders?: readonly string[];
  readonly relatedByRelTypes?: readonly string[];
  /** Only events that relate to another one by one of these types, and none that do so by one of those (MSC3874). */
  readonly relTypes?: readonly string[];
  readonly notRelTypes?: readonly string[];
  readonly lazyLoadMembers: boolean;
  readonly includeRedundantMembers: boolean;
  readonly unreadThreadNotifications: boolean;
  /** Whose events other than state are left out; no part of a filter as clients write it. */
  readonly ignoredSenders?: ReadonlySet<string>;
}

/**
 * Reads an EventFilter. Unknown keys are ignored; null counts as absent.
 * Throws 400 M_BAD_JSON for a field of the wrong type. A limit of 0 is accepted: clients send it to get no events.
 */
export function parseEventFilter(value: JsonValue, at: string): EventFilter {
  const object = filterObject(value, at);
  return {
    ...entry('limit', findLimit(object, at)),
    ...entry('types', findTexts(object, 'types', at)),
    ...entry('notTypes', findTexts(object, 'not_types', at)),
    ...entry('senders', findTexts(object, 'senders', at, isUserId)),
    ...entry('notSenders', findTexts(object, 'not_senders', at, isUserId)),
  };
}

/** Reads a RoomEventFilter, as `parseEventFilter` does. */
export function parseRoomEventFilter(value: JsonValue, at: string): RoomEventFilter {
  const object = filterObject(value, at);
  return {
    ...parseEventFilter(object, at),
    ...entry('rooms', findTexts(object, 'rooms', at, isRoomId)),
    ...entry('notRooms', findTexts(object, 'not_rooms', at, isRoomId)),
    ...entry('containsUrl', findBoolean(object, 'contains_url', at)),
    ...entry('relatedBySenders', findTexts(object, 'related_by_senders', at, isUserId)),
    ...entry('relatedByRelTypes', findTexts(object, 'related_by_rel_types', at)),
    ...entry('relTypes', findTexts(object, 'org.matrix.msc3874.rel_types', at)),
    ...entry('notRelTypes', findTexts(object, 'org.matrix.msc3874.not_rel_types', at)),
    lazyLoadMembers: findBoolean(object, 'lazy_load_members', at) ?? false,
    includeRedundantMembers: findBoolean(object, 'include_redundant_members', at) ?? false,
    unreadThreadNotifications: findBoolean(object, 'unread_thread_notifications', at) ?? false,
  };
}

export function filterObject(value: JsonValue, at: string): JsonObject {
  if (!isJsonObject(value)) throw badJson(`${at} must be an object`);
  return value;
}

export function findBoolean(object: JsonObject, name: string, at: string): boolean | undefined {
  const value = find(object, name);
  if (value !== undefined && typeof value !== 'boolean') throw badJson(`${at}.${name} must be a boolean`);
  return value;
}

/** A list of texts that `isValid` accepts. */
export function findTexts(
  object: JsonObject,
  name: string,
  at: string,
  isValid: (text: string) => boolean = () => true,
): readonly string[] | undefined {
  const value = find(object, name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw badJson(`${at}.${name} must be an array`);
  return value.map((text: JsonValue) => {
    if (typeof text !== 'string' || !isValid(text)) throw badJson(`${at}.${name} has an entry that cannot be there`);
    return text;
  });
}

/** The value of an own key; null and absence are the same. */
export function find(object: JsonObject, name: string): Exclude<JsonValue, null> | undefined {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

/** For spreading: nothing at all when the value is absent, as exact optional properties want it. */
export function entry<K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [key in K]?: V });
}

function findLimit(object: JsonObject, at: string): number | undefined {
  const value = find(object, 'limit');
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw badJson(`${at}.limit must be a positive integer`);
  return value;
}
