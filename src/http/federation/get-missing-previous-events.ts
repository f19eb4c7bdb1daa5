/** POST /_matrix/federation/v1/get_missing_events/{roomId}. https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid */
import type { Answers } from '../../federation/answers/index.ts';
import { limits } from '../../platform/limits.ts';
import { arrayOf, integer, object, withDefault } from '../decode.ts';
import { eventId, roomId } from '../client/rooms/identifiers.ts';
import { defineEndpoint } from '../endpoint.ts';

const eventIds = () => arrayOf(eventId(), { max: limits.historyIdsMax });

export const getMissingPreviousEvents = defineEndpoint({
  operationId: 'getMissingPreviousEvents',
  method: 'POST',
  path: '/_matrix/federation/v1/get_missing_events/{roomId}',
  auth: 'serverSignature',
  rateLimit: 'federation',
  params: { roomId: roomId() },
  query: {},
  body: object({
    earliest_events: eventIds(),
    latest_events: eventIds(),
    limit: withDefault(integer({ min: 1 }), limits.missingEventsDefault),
    min_depth: withDefault(integer(), 0),
  }),
  async handle({ params, body, requester }, { answers }: { answers: Pick<Answers, 'missingEvents'> }) {
    return {
      json: await answers.missingEvents(requester, params.roomId, {
        earliest: body.earliest_events,
        latest: body.latest_events,
        limit: body.limit,
        minDepth: body.min_depth,
      }),
    };
  },
});
