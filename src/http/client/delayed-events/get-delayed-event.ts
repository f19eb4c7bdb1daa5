/** GET /_matrix/client/v1/delayed_events/{delayId} — https://github.com/matrix-org/matrix-spec-proposals/pull/4140 (MSC4140) */
import type { DelayedEvents } from '../../../rooms/delayed-events/delayed-events.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';

export const getDelayedEvent = defineEndpoint({
  operationId: 'getDelayedEvent',
  method: 'GET',
  path: '/_matrix/client/v1/delayed_events/{delayId}',
  alsoAt: ['/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}'],
  auth: 'accessToken',
  rateLimit: 'read',
  params: { delayId: string() },
  query: {},
  async handle({ params, requester }, { delayedEvents }: { delayedEvents: Pick<DelayedEvents, 'get'> }) {
    return { json: await delayedEvents.get(requester, params.delayId) };
  },
});
