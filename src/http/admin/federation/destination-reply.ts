import type { ListedDestination } from '../../../federation/send/administration.ts';
import { oneOf, queryInteger, withDefault } from '../../decode.ts';

export const destinationPageQuery = {
  from: withDefault(queryInteger({ min: 0 }), 0),
  limit: withDefault(queryInteger({ min: 0, max: 1_000 }), 100),
  dir: withDefault(oneOf('f', 'b'), 'f'),
};

export const destinationReply = (listed: ListedDestination) => ({
  destination: listed.destination,
  retry_last_ts: listed.retryLastTs,
  retry_interval: listed.retryIntervalMs,
  failure_ts: listed.failureTs,
  last_successful_stream_ordering: listed.lastSentPos,
});
