/** POST /_matrix/client/v1/delayed_events/{delayId}/{action} — https://github.com/matrix-org/matrix-spec-proposals/pull/4140 (MSC4140) */
import type { DelayedEvents } from '../../../rooms/delayed-events/delayed-events.ts';
import { string } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { delayedEventAction } from './delayed-event-action.ts';

export const manageOwnDelayedEvent = defineEndpoint({
  operationId: 'manageOwnDelayedEvent',
  method: 'POST',
  path: '/_matrix/client/v1/delayed_events/{delayId}/{action}',
  auth: 'accessToken',
  rateLimit: 'signal',
  params: { delayId: string(), action: string() },
  query: {},
  async handle({ params, requester }, { delayedEvents }: { delayedEvents: Pick<DelayedEvents, 'manage'> }) {
    await delayedEvents.manage(requester, params.delayId, delayedEventAction(params.action));
    return { json: {} };
  },
});
