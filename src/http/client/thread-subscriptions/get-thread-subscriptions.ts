/** GET /_matrix/client/v1/thread_subscriptions — https://github.com/matrix-org/matrix-spec-proposals/pull/4308 (MSC4308) */
import { limits } from '../../../platform/limits.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { parseAnyPosition, parseStreamToken } from '../../../rooms/pagination-token.ts';
import { oneOf, optional, parsed, queryInteger, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getThreadSubscriptions = defineEndpoint({
  operationId: 'getThreadSubscriptions',
  method: 'GET',
  path: '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions',
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  query: {
    dir: oneOf('b'),
    from: optional(parsed('a token of this server', parseStreamToken)),
    to: optional(parsed('a token of this server', parseAnyPosition)),
    limit: withDefault(queryInteger({ min: 1 }), limits.threadSubscriptionsDefault),
  },
  async handle({ query, requester }, { rooms }: { rooms: Pick<Rooms, 'threadSubscriptionsPage'> }) {
    return { json: await rooms.threadSubscriptionsPage(requester, query) };
  },
});
