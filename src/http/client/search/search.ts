/** POST /_matrix/client/v3/search — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search */
import { invalidParam } from '../../../matrix/errors.ts';
import { parseRoomEventFilter } from '../../../matrix/filters/event-filter.ts';
import type { JsonValue } from '../../../matrix/json/json-value.ts';
import { limits } from '../../../platform/limits.ts';
import type { Search } from '../../../search/index.ts';
import { arrayOf, boolean, integer, jsonObject, object, oneOf, optional, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

const keys = ['content.body', 'content.name', 'content.topic'] as const;

const contextLimit = () => withDefault(integer({ min: 0 }), limits.searchContextDefault);

const roomEvents = object({
  search_term: string({ maxBytes: limits.searchTermBytesMax }),
  keys: withDefault(arrayOf(oneOf(...keys), { max: 10 }), keys),
  filter: optional(jsonObject()),
  order_by: withDefault(oneOf('recent', 'rank'), 'rank'),
  event_context: optional(
    object({
      before_limit: contextLimit(),
      after_limit: contextLimit(),
      include_profile: withDefault(boolean(), false),
    }),
  ),
  include_state: withDefault(boolean(), false),
  groupings: optional(
    object({ group_by: withDefault(arrayOf(object({ key: optional(oneOf('room_id', 'sender')) }), { max: 10 }), []) }),
  ),
});

export const search = defineEndpoint({
  operationId: 'search',
  method: 'POST',
  path: '/_matrix/client/v3/search',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: { next_batch: optional(string()) },
  body: object({ search_categories: object({ room_events: optional(roomEvents) }) }),
  async handle({ query, body, requester }, { search: found }: { search: Pick<Search, 'events'> }) {
    const { room_events: asked } = body.search_categories;
    if (asked === undefined) {
      if (query.next_batch !== undefined) throw invalidParam('next_batch is of a search in room_events');
      return { json: { search_categories: {} } };
    }
    const { event_context: context, groupings } = asked;
    const answer = await found.events(requester, {
      term: asked.search_term,
      keys: asked.keys,
      filter: filterOf(asked.filter),
      orderBy: asked.order_by,
      context: context && {
        beforeLimit: context.before_limit,
        afterLimit: context.after_limit,
        includeProfile: context.include_profile,
      },
      includeState: asked.include_state,
      groupBy: [...new Set((groupings?.group_by ?? []).flatMap(({ key }) => key ?? []))],
      nextBatch: query.next_batch,
    });
    return { json: { search_categories: { room_events: answer } } };
  },
});

const filterOf = (filter: JsonValue | undefined) =>
  filter === undefined ? undefined : parseRoomEventFilter(filter, 'body.search_categories.room_events.filter');
