/** What both shapes of sliding sync write alike. https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md */
import { invalidParam } from '../../../matrix/errors.ts';
import type { RoomId } from '../../../matrix/ids/ids.ts';
import { isRoomId } from '../../../matrix/ids/room-id.ts';
import type { JsonValue } from '../../../matrix/json/json-value.ts';
import { limits } from '../../../platform/limits.ts';
import type { ExtensionScope, RoomConfig, SlidingExtensions } from '../../../sync/sliding/sliding-request.ts';
import {
  arrayOf,
  boolean,
  type Decoded,
  type Decoder,
  integer,
  object,
  optional,
  recordOf,
  string,
  withDefault,
} from '../../decode.ts';

export const connId = () => withDefault(string({ maxBytes: limits.slidingNameBytesMax }), '');

/** More than a room's answer may hold is told as much as it may. */
export const timelineLimit = (): Decoder<number> => {
  const limit = integer({ min: 0 });
  return { ...limit, decode: (value, at) => Math.min(limit.decode(value, at), limits.timelineEventsMax) };
};

export const range = (): Decoder<readonly [number, number]> => {
  const numbers = arrayOf(integer({ min: 0 }), { max: 2 });
  return {
    ...numbers,
    decode(value, at) {
      const [from, to] = numbers.decode(value, at);
      if (from === undefined || to === undefined) throw invalidParam(`${at} must be two numbers`);
      return [from, to];
    },
  };
};

/** What the filters of both shapes have. */
export const commonFilters = {
  is_dm: optional(boolean()),
  is_encrypted: optional(boolean()),
  room_types: optional(arrayOf(stringOrNull())),
  not_room_types: optional(arrayOf(stringOrNull())),
  tags: optional(arrayOf(string())),
  not_tags: optional(arrayOf(string())),
  spaces: optional(arrayOf(string())),
} as const;

function stringOrNull(): Decoder<string | null> {
  const text = string();
  return { ...text, decode: (value, at) => (value === null ? null : text.decode(value, at)) };
}

/** Names of lists, and what is asked for of each. */
export const namedLists = <T>(list: Decoder<T>) => withDefault(atMost(limits.slidingListsMax, recordOf(list)), {});

export const roomSubscriptions = <T>(max: number, subscription: Decoder<T>) =>
  withDefault(atMost(max, recordOf(subscription)), {});

function atMost<T>(max: number, record: Decoder<Readonly<Record<string, T>>>): Decoder<Readonly<Record<string, T>>> {
  return {
    ...record,
    decode(value, at) {
      const decoded = record.decode(value, at);
      const names = Object.keys(decoded);
      if (names.length > max) throw invalidParam(`${at} must have at most ${max} entries`);
      for (const name of names)
        if (Buffer.byteLength(name) > limits.slidingNameBytesMax)
          throw invalidParam(`${at} has a name that is too long`);
      return decoded;
    },
  };
}

/** Rooms that cannot exist are left out, as those that the user does not know are. */
export function subscriptionsOf(record: Readonly<Record<string, RoomConfig>>): Map<RoomId, RoomConfig> {
  const subscriptions = new Map<RoomId, RoomConfig>();
  for (const [roomId, config] of Object.entries(record)) if (isRoomId(roomId)) subscriptions.set(roomId, config);
  return subscriptions;
}

const scoped = optional(
  object({
    enabled: withDefault(boolean(), false),
    lists: optional(arrayOf(string())),
    rooms: optional(arrayOf(string())),
  }),
);

/** Extensions that are not known here are left out. */
export const extensions = withDefault(object({ account_data: scoped, receipts: scoped, typing: scoped }), {
  account_data: undefined,
  receipts: undefined,
  typing: undefined,
});

export function extensionsOf(asked: Decoded<typeof extensions>): SlidingExtensions {
  return {
    accountData: scopeOf(asked.account_data),
    receipts: scopeOf(asked.receipts),
    typing: scopeOf(asked.typing),
  };
}

function scopeOf(asked: Decoded<typeof scoped>): ExtensionScope | undefined {
  if (asked?.enabled !== true) return undefined;
  const setOf = (names: readonly string[] | undefined): ReadonlySet<string> | undefined =>
    names === undefined || names.includes('*') ? undefined : new Set(names);
  return { lists: setOf(asked.lists), rooms: setOf(asked.rooms) };
}

/** Of what is asked for, without what changes from one request to the next. */
export function signatureOf(...parts: readonly (JsonValue | object | undefined)[]): string {
  return JSON.stringify(parts);
}
