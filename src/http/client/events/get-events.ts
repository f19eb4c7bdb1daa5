/**
 * GET /_matrix/client/v3/events — https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events
 * With room_id it is https://spec.matrix.org/v1.19/client-server-api/#peeking_get_matrixclientv3events
 */
import { invalidParam } from '../../../matrix/errors.ts';
import { limits } from '../../../platform/limits.ts';
import { parseStreamToken } from '../../../rooms/pagination-token.ts';
import type { Sync } from '../../../sync/index.ts';
import { optional, queryInteger, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { roomId } from '../rooms/identifiers.ts';

export const getEvents = defineEndpoint({
  operationId: 'getEvents',
  alsoOperationIds: ['peekEvents'],
  method: 'GET',
  path: '/_matrix/client/v3/events',
  auth: 'accessToken',
  rateLimit: 'read',
  allowGuests: true,
  params: {},
  query: {
    from: optional(string()),
    // As for /sync: whoever does not say how long to wait does not wait.
    timeout: withDefault(queryInteger({ min: 0 }), 0),
    room_id: optional(roomId()),
  },
  async handle(request, { sync }: { sync: Pick<Sync, 'events'> }) {
    const { query, requester } = request;
    const json = await sync.events({
      requester,
      from: query.from === undefined || query.from === '' ? undefined : positionOf(query.from),
      roomId: query.room_id,
      timeoutMs: Math.min(query.timeout, limits.longPollMsMax),
      // Asking for the signal makes the request a long poll; one that does not wait is none.
      signal: query.timeout > 0 ? request.signal : neverAborted,
    });
    return { json };
  },
});

const neverAborted = new AbortController().signal;

function positionOf(token: string): number {
  const pos = parseStreamToken(token);
  if (pos === undefined) throw invalidParam('from is not a token of this server');
  return pos;
}
