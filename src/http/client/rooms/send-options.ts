/** What the endpoints that send events take in the query beside the specification's own. */
import type { Requester } from '../../../accounts/requester.ts';
import { MatrixError, guestAccessForbidden, invalidParam } from '../../../matrix/errors.ts';
import type { JsonValue } from '../../../matrix/json/json-value.ts';
import type { DelayedEvents } from '../../../rooms/delayed-events/delayed-events.ts';
import { DelayTooLong, type DelayRequest } from '../../../rooms/delayed-events/schedule-event.ts';
import { type Decoder, optional, queryInteger } from '../../decode.ts';
import type { Reply } from '../../endpoint.ts';

/** Whoever asks for a delay in a way that is not served must not have the event sent at once. */
const refused: Decoder<undefined> = {
  isOptional: true,
  decode(value: JsonValue | undefined, at) {
    if (value !== undefined) throw invalidParam(`${at} is not supported here`);
    return undefined;
  },
};

const otherDelays = {
  delay: refused,
  delay_ms: refused,
  'org.matrix.msc4140.parent_delay_id': refused,
};

/** MSC4354. In milliseconds. */
export const stickyDuration = {
  'org.matrix.msc4354.sticky_duration_ms': optional(queryInteger({ min: 0, max: 3_600_000 })),
};

/** Where nothing can be sent later, or the body says when. */
export const noDelay = { ...otherDelays, 'org.matrix.msc4140.delay': refused };

/** MSC4140, as it was before it had an endpoint of its own. */
export const sendOptions = {
  ...otherDelays,
  ...stickyDuration,
  'org.matrix.msc4140.delay': optional(queryInteger({ min: 1 })),
};

export interface DelayDomain {
  readonly delayedEvents: Pick<DelayedEvents, 'schedule'>;
}

/** The answer to a request with a delay. A delay that is too long is told as the clients that ask in this way expect it. */
export async function schedule(domain: DelayDomain, requester: Requester, request: DelayRequest): Promise<Reply> {
  if (requester.isGuest) throw guestAccessForbidden('Guests cannot send events later');
  const delayId = await domain.delayedEvents.schedule(requester, request).catch((error: unknown) => {
    throw error instanceof DelayTooLong ? new MatrixError(400, 'M_UNKNOWN', error.message, error.extra) : error;
  });
  return { json: { delay_id: delayId } };
}
