/**
 * POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}/{action}, as today's clients and call services know
 * it: without a token the delay id, which cannot be guessed, is what allows it; and what is sent or cancelled already is not found.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/4140 (MSC4140)
 */
import { MatrixError, notFound } from '../../../matrix/errors.ts';
import type { DelayedEvents } from '../../../rooms/delayed-events/delayed-events.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { delayedEventAction } from './delayed-event-action.ts';

export const manageDelayedEvent = defineEndpoint({
  operationId: 'manageDelayedEvent',
  method: 'POST',
  path: '/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{delayId}/{action}',
  auth: 'optionalAccessToken',
  rateLimit: 'signal',
  params: { delayId: string(), action: string() },
  query: {},
  async handle({ params, requester }, { delayedEvents }: { delayedEvents: Pick<DelayedEvents, 'manage'> }) {
    const action = delayedEventAction(params.action);
    await delayedEvents.manage(requester, params.delayId, action).catch((error: unknown) => {
      throw error instanceof MatrixError && error.status === 409 ? notFound('There is no such delayed event') : error;
    });
    return { json: {} };
  },
});
