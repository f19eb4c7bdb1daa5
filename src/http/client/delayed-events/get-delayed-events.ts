/** GET /_matrix/client/v1/delayed_events — https://github.com/matrix-org/matrix-spec-proposals/pull/4140 (MSC4140) */
import type { DelayedEvents } from '../../../rooms/delayed-events/delayed-events.ts';
import { oneOf, optional } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getDelayedEvents = defineEndpoint({
  operationId: 'getDelayedEvents',
  method: 'GET',
  path: '/_matrix/client/v1/delayed_events',
  alsoAt: ['/_matrix/client/unstable/org.matrix.msc4140/delayed_events'],
  auth: 'accessToken',
  rateLimit: 'read',
  params: {},
  // Clients of an earlier version of the proposal ask for one of the two, under its own name.
  query: { status: optional(oneOf('scheduled', 'finalised')) },
  async handle({ query: { status }, requester }, { delayedEvents }: { delayedEvents: Pick<DelayedEvents, 'list'> }) {
    if (status === 'finalised') return { json: { finalised: await delayedEvents.list(requester, status) } };
    const scheduled = await delayedEvents.list(requester, 'scheduled');
    return { json: { delayed_events: scheduled, ...(status === undefined ? {} : { scheduled }) } };
  },
});
