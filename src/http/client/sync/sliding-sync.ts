/** POST /_matrix/client/v4/sync — https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md#api */
import { limits } from '../../../platform/limits.ts';
import type { Sync } from '../../../sync/index.ts';
import { RequiredState, type StatePattern } from '../../../sync/sliding/required-state.ts';
import type { RoomConfig, SlidingList } from '../../../sync/sliding/sliding-request.ts';
import { arrayOf, boolean, type Decoded, integer, object, oneOf, optional, string, withDefault } from '../../decode.ts';
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

const patterns = withDefault(arrayOf(object({ type: optional(string()), state_key: optional(string()) })), []);
const config = {
  timeline_limit: timelineLimit(),
  required_state: object({ include: patterns, exclude: patterns, lazy_members: withDefault(boolean(), false) }),
};
const body = object({
  conn_id: connId(),
  pos: optional(string()),
  timeout: withDefault(integer({ min: 0 }), 0),
  set_presence: withDefault(oneOf('offline', 'online', 'unavailable'), 'online'),
  lists: namedLists(
    object({
      ...config,
      range: optional(range()),
      filters: optional(object({ ...commonFilters, is_invited: optional(boolean()) })),
    }),
  ),
  room_subscriptions: roomSubscriptions(limits.slidingSubscriptionsMax, object(config)),
  extensions,
});

export const slidingSync = defineEndpoint({
  operationId: 'slidingSync',
  method: 'POST',
  path: '/_matrix/client/v4/sync',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {},
  body,
  async handle(request, { sync }: { readonly sync: Pick<Sync, 'sliding'> }) {
    const { requester, body: asked } = request;
    const subscriptions: Record<string, RoomConfig> = {};
    for (const [roomId, subscription] of Object.entries(asked.room_subscriptions))
      subscriptions[roomId] = configOf(subscription);
    const json = await sync.sliding({
      requester,
      shape: 'v4',
      connId: asked.conn_id,
      pos: asked.pos,
      timeoutMs: Math.min(asked.timeout, limits.longPollMsMax),
      setPresence: asked.set_presence,
      lists: Object.entries(asked.lists).map(([name, list]) => listOf(name, list)),
      subscriptions: subscriptionsOf(subscriptions),
      extensions: extensionsOf(asked.extensions),
      signature: signatureOf(asked.lists, asked.room_subscriptions, asked.extensions),
      // Asking for the signal makes the request a long poll; one that does not wait is none.
      signal: asked.timeout > 0 ? request.signal : neverAborted,
    });
    return { json };
  },
});

const neverAborted = new AbortController().signal;

type Asked = Decoded<typeof body>;

function listOf(name: string, list: Asked['lists'][string]): SlidingList {
  const filter = { ...commonFilterOf(list.filters ?? {}), isInvite: list.filters?.is_invited };
  const ranges = list.range === undefined ? undefined : [list.range];
  return { name, ...configOf(list), ranges, filter, filterKey: filterKeyOf(filter) };
}

function configOf(asked: Asked['room_subscriptions'][string]): RoomConfig {
  const { include, exclude, lazy_members: lazyMembers } = asked.required_state;
  const pattern = ({ type, state_key: stateKey }: (typeof include)[number]): StatePattern => ({ type, stateKey });
  const clause = { include: include.map(pattern), exclude: exclude.map(pattern), lazyMembers };
  return { timelineLimit: asked.timeline_limit, required: new RequiredState([clause]) };
}
