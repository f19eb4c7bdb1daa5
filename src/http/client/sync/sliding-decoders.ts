/** What both shapes of sliding sync write alike. https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md */
import { invalidParam } from '../../../matrix/errors.ts';
import type { RoomId } from '../../../matrix/ids/ids.ts';
import { isRoomId } from '../../../matrix/ids/room-id.ts';
import { limits } from '../../../platform/limits.ts';
import type {
  ExtensionScope,
  RoomConfig,
  RoomFilter,
  SlidingExtensions,
  StickyEventsWish,
  ThreadsWish,
} from '../../../sync/sliding/sliding-request.ts';
import {
  arrayOf,
  boolean,
  type Decoded,
  type Decoder,
  integer,
  object,
  optional,
  parsed,
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

const threads = optional(
  object({
    enabled: withDefault(boolean(), false),
    limit: withDefault(integer({ min: 1 }), limits.threadSubscriptionsDefault),
  }),
);
const unstableThreads = 'io.element.msc4308.thread_subscriptions';
const sticky = optional(
  object({
    enabled: withDefault(boolean(), false),
    since: optional(parsed('a token of this server', positionToken)),
    limit: withDefault(integer({ min: 0 }), limits.stickyEventsMax),
  }),
);
const unstableSticky = 'org.matrix.msc4354.sticky_events';
const toDevice = object({
  enabled: withDefault(boolean(), false),
  since: optional(parsed('a token of this server', positionToken)),
  limit: withDefault(integer({ min: 1 }), limits.toDeviceMessagesPerPageMax),
});

function positionToken(text: string): number | undefined {
  const pos = /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(pos) ? pos : undefined;
}

/** Extensions that are not known here are left out. */
const known = object({
  to_device: optional(toDevice),
  e2ee: optional(object({ enabled: withDefault(boolean(), false) })),
  account_data: scoped,
  receipts: scoped,
  typing: scoped,
  thread_subscriptions: threads,
  [unstableThreads]: threads,
  sticky_events: sticky,
  [unstableSticky]: sticky,
});
export const extensions = optional(known);

export function extensionsOf(asked: Decoded<typeof extensions>): SlidingExtensions {
  if (asked === undefined) return {};
  const { to_device: messages } = asked;
  return {
    toDevice: messages?.enabled === true ? { since: messages.since, limit: messages.limit } : undefined,
    e2ee: asked.e2ee?.enabled === true,
    accountData: scopeOf(asked.account_data),
    receipts: scopeOf(asked.receipts),
    typing: scopeOf(asked.typing),
    threads:
      threadsOf(asked.thread_subscriptions, 'thread_subscriptions') ??
      threadsOf(asked[unstableThreads], unstableThreads),
    sticky: stickyOf(asked.sticky_events, 'sticky_events') ?? stickyOf(asked[unstableSticky], unstableSticky),
  };
}

function threadsOf(asked: Decoded<typeof threads>, name: string): ThreadsWish | undefined {
  return asked?.enabled === true ? { limit: asked.limit, name } : undefined;
}

function stickyOf(asked: Decoded<typeof sticky>, name: string): StickyEventsWish | undefined {
  return asked?.enabled === true ? { since: asked.since, limit: asked.limit, name } : undefined;
}

function scopeOf(asked: Decoded<typeof scoped>): ExtensionScope | undefined {
  if (asked?.enabled !== true) return undefined;
  const setOf = (names: readonly string[] | undefined): ReadonlySet<string> | undefined =>
    names === undefined || names.includes('*') ? undefined : new Set(names);
  return { lists: setOf(asked.lists), rooms: setOf(asked.rooms) };
}

/** Of what is asked for, without what changes from one request to the next. */
export function signatureOf(lists: object, subscriptions: object, asked: Decoded<typeof extensions>): string {
  return JSON.stringify([lists, subscriptions, asked?.account_data, asked?.receipts, asked?.typing]);
}

/** Empty where nothing is filtered. */
export function filterKeyOf(filter: RoomFilter): string {
  const key = JSON.stringify(filter);
  return key === '{}' ? '' : key;
}

/** What both shapes filter by in the same words. */
export function commonFilterOf(asked: {
  readonly [K in keyof typeof commonFilters]?: Decoded<(typeof commonFilters)[K]>;
}): RoomFilter {
  return {
    isDm: asked.is_dm,
    isEncrypted: asked.is_encrypted,
    roomTypes: asked.room_types,
    notRoomTypes: asked.not_room_types,
    tags: asked.tags,
    notTags: asked.not_tags,
    spaces: asked.spaces?.filter((id): id is RoomId => isRoomId(id)),
  };
}
