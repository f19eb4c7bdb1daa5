/**
 * POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync — simplified sliding sync as the clients of the experiment
 * speak it. https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md#changelog
 */
import { invalidParam } from '../../../matrix/errors.ts';
import type { UserId } from '../../../matrix/ids/ids.ts';
import { limits } from '../../../platform/limits.ts';
import type { Sync } from '../../../sync/index.ts';
import { RequiredState, type StatePattern } from '../../../sync/sliding/required-state.ts';
import type { RoomConfig, RoomFilter, SlidingList } from '../../../sync/sliding/sliding-request.ts';
import {
  arrayOf,
  boolean,
  type Decoded,
  object,
  oneOf,
  optional,
  queryInteger,
  string,
  withDefault,
} from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import {
  commonFilterOf,
  commonFilters,
  connId,
  extensions,
  extensionsOf,
  filterKeyOf,
  namedLists,
  range,
  roomSubscriptions,
  signatureOf,
  subscriptionsOf,
  timelineLimit,
} from './sliding-decoders.ts';

const config = {
  timeline_limit: withDefault(timelineLimit(), limits.timelineEventsDefault),
  required_state: withDefault(arrayOf(arrayOf(string(), { max: 2 })), []),
};
const filters = object({
  ...commonFilters,
  is_invite: optional(boolean()),
  room_name_like: optional(string()),
});
const body = object({
  conn_id: connId(),
  lists: namedLists(
    object({
      ...config,
      ranges: optional(arrayOf(range(), { max: 100 })),
      slow_get_all_rooms: withDefault(boolean(), false),
      filters: optional(filters),
    }),
  ),
  room_subscriptions: roomSubscriptions(limits.slidingUnboundedSubscriptionsMax, object(config)),
  extensions,
});

export const slidingSyncUnstable = defineEndpoint({
  operationId: 'slidingSyncUnstable',
  method: 'POST',
  path: '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {
    pos: optional(string()),
    timeout: withDefault(queryInteger({ min: 0 }), 0),
    set_presence: withDefault(oneOf('offline', 'online', 'unavailable'), 'online'),
  },
  body,
  async handle(request, { sync }: { readonly sync: Pick<Sync, 'sliding'> }) {
    const { query, requester, body: asked } = request;
    const { userId } = requester;
    const subscriptions: Record<string, RoomConfig> = {};
    for (const [roomId, subscription] of Object.entries(asked.room_subscriptions))
      subscriptions[roomId] = configOf(subscription, userId);
    const json = await sync.sliding({
      requester,
      shape: 'unstable',
      connId: asked.conn_id,
      pos: query.pos === '' ? undefined : query.pos,
      timeoutMs: Math.min(query.timeout, limits.longPollMsMax),
      setPresence: query.set_presence,
      lists: Object.entries(asked.lists).map(([name, list]) => listOf(name, list, userId)),
      subscriptions: subscriptionsOf(subscriptions),
      extensions: extensionsOf(asked.extensions),
      signature: signatureOf(asked.lists, asked.room_subscriptions, asked.extensions),
      // Asking for the signal makes the request a long poll; one that does not wait is none.
      signal: query.timeout > 0 ? request.signal : neverAborted,
    });
    return { json };
  },
});

const neverAborted = new AbortController().signal;

type AskedList = Decoded<typeof body>['lists'][string];

function listOf(name: string, list: AskedList, userId: UserId): SlidingList {
  const filter = filterOf(list.filters ?? {});
  return {
    name,
    ...configOf(list, userId),
    ranges: list.slow_get_all_rooms ? undefined : list.ranges,
    filter,
    filterKey: filterKeyOf(filter),
  };
}

function filterOf(asked: Partial<Decoded<typeof filters>>): RoomFilter {
  const roomNameLike = asked.room_name_like === '' ? undefined : asked.room_name_like;
  return { ...commonFilterOf(asked), isInvite: asked.is_invite, roomNameLike };
}

function configOf(
  asked: { readonly timeline_limit: number; readonly required_state: readonly (readonly string[])[] },
  userId: UserId,
): RoomConfig {
  return { timelineLimit: asked.timeline_limit, required: requiredOf(asked.required_state, userId) };
}

/** Pairs of a type and a state key: `*` stands for any, `$ME` for the user, `$LAZY` for the members that a timeline needs. */
function requiredOf(pairs: readonly (readonly string[])[], userId: UserId): RequiredState {
  const include: StatePattern[] = [];
  let lazyMembers = false;
  for (const [type, key] of pairs) {
    if (type === undefined || key === undefined)
      throw invalidParam('required_state must have pairs of type and state key');
    if (key === '$LAZY') {
      if (type === 'm.room.member') lazyMembers = true;
      continue;
    }
    const stateKey = key === '$ME' ? userId : key;
    include.push({ type: type === '*' ? undefined : type, stateKey: stateKey === '*' ? undefined : stateKey });
  }
  return new RequiredState([{ include, exclude: [], lazyMembers }]);
}
